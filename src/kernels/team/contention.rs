//! Whether other processes want the cores of a team. A worker that the system has taken off its core in the middle of a
//! piece comes back after a time slice, which is longer than many updates, and meanwhile its leader has nothing to do.
//! Where that happens again and again, small jobs are quicker without the workers, who then spin for nothing and are taken
//! off their cores the sooner. So they are left asleep for a while: 10 ms at first, and twice as long each time that they
//! are late again when they are back.

use std::time::{Duration, Instant};

/// The least time that a leader waits for a worker that counts as late; beyond an uneven share of a job.
const LATE: Duration = Duration::from_micros(300);

/// A worker that is late twice in this time is late because of another process. Once is an interrupt.
const RECENT: Duration = Duration::from_millis(50);

/// The shortest time for which workers are left asleep.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest: when the other process is gone, it takes no longer to notice.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// The leader's knowledge of its workers.
#[derive(Debug, Default)]
pub(super) struct Contention {
    /// When a worker was late last, or was waited for again.
    last: Option<Instant>,
    /// Until when the workers are left asleep.
    until: Option<Instant>,
    pause: Duration,
}

impl Contention {
    /// Whether the next job is one for the leader, as long as it is small.
    pub(super) fn is_on(&mut self, now: Instant) -> bool {
        let Some(until) = self.until else { return false };
        if now < until {
            return true;
        }
        (self.until, self.last) = (None, Some(now));
        false
    }

    /// The leader has worked on a job until `idle`, then waited until `now` for the last piece of a worker.
    pub(super) fn waited(&mut self, start: Instant, idle: Instant, now: Instant) {
        if now - idle < LATE.max(idle - start) {
            return;
        }
        if self.last.is_some_and(|last| now - last < RECENT) {
            self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
            self.until = Some(now + self.pause);
        } else {
            self.pause = Duration::ZERO;
        }
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: Duration = Duration::from_micros(50);
    const SLICE: Duration = Duration::from_millis(3);

    /// A job at `start` whose leader waits for so long; when it is done.
    fn job(contention: &mut Contention, start: Instant, waited: Duration) -> Instant {
        let end = start + JOB + waited;
        contention.waited(start, start + JOB, end);
        end
    }

    #[test]
    fn workers_are_left_asleep_when_one_is_late_twice_within_a_short_time() {
        let (mut contention, start) = (Contention::default(), Instant::now());
        let end = job(&mut contention, start, SLICE);
        assert!(!contention.is_on(end));
        let end = job(&mut contention, end + RECENT, SLICE);
        assert!(!contention.is_on(end), "the first time was long ago");
        let end = job(&mut contention, end + JOB, SLICE);
        assert!(contention.is_on(end));
        assert!(contention.is_on(end + FIRST_PAUSE / 2));
        assert!(!contention.is_on(end + FIRST_PAUSE));
    }

    #[test]
    fn the_pause_doubles_up_to_a_limit_and_starts_anew_after_a_quiet_time() {
        let (mut contention, start) = (Contention::default(), Instant::now());
        let mut end = job(&mut contention, start, SLICE);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            end = job(&mut contention, end, SLICE);
            pauses.push(contention.until.unwrap() - end);
            end += contention.pause;
            assert!(!contention.is_on(end));
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 200, 200].map(Duration::from_millis));
        end = job(&mut contention, end + RECENT, SLICE);
        assert!(!contention.is_on(end));
        end = job(&mut contention, end, SLICE);
        assert_eq!(contention.until, Some(end + FIRST_PAUSE));
    }

    #[test]
    fn an_uneven_share_is_not_late() {
        let (mut contention, start) = (Contention::default(), Instant::now());
        for _ in 0..10 {
            job(&mut contention, start, LATE / 2);
            let (idle, end) = (start + SLICE, start + SLICE + SLICE / 2);
            contention.waited(start, idle, end);
            assert!(
                !contention.is_on(end),
                "a worker's last piece is half as long as all that the leader did"
            );
        }
    }
}
