//! A model check of the thread team by [loom](https://docs.rs/loom): `src/kernels/team/jobs.rs`, compiled with loom's
//! atomics, under every order of the threads' steps, with every value that the memory model lets a load return, up to the
//! stated number of preemptions. A data race, a lost wake-up or a piece that is done twice or not at all fails the test.
//!
//! The check was seen to fail, with a causality violation, where one of these orderings was made `Relaxed`:
//! `unfinished.fetch_sub(Release)`, `unfinished.load(Acquire)`, the stores of
//! `share` and `job` together (either of the two orders what a worker reads); and with a deadlock, which is a lost
//! wake-up, without either fence or without the lock in `wake_workers`.
#![cfg(test)]

use std::sync::Arc;

use jobs::Team;
use loom::cell::UnsafeCell;

#[allow(dead_code, reason = "the model needs no thread that serves for ever")]
#[path = "../../src/kernels/team/jobs.rs"]
mod jobs;

/// loom's atomics under the names of `src/kernels/team/sync.rs`.
mod sync {
    pub(super) use loom::cell::UnsafeCell;
    pub(super) use loom::hint::spin_loop;
    pub(super) use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
    pub(super) use loom::sync::{Condvar, Mutex};
    pub(super) use loom::thread::yield_now;

    pub(super) use std::time::Instant;

    /// One look at the job is as good as many.
    pub(super) const SPINS: u32 = 1;

    /// Time is up after the first round: loom has no clock.
    #[derive(Default)]
    pub(super) struct SpinClock(bool);

    impl SpinClock {
        pub(super) fn is_over(&mut self) -> bool {
            std::mem::replace(&mut self.0, true)
        }
    }

    /// How many jobs from the first on find the cores contended; no time passes here.
    pub(super) struct Contention(pub(super) u32);

    impl Contention {
        pub(super) fn is_on(&mut self, _: Instant) -> bool {
            let is_on = self.0 > 0;
            self.0 = self.0.saturating_sub(1);
            is_on
        }

        pub(super) fn waited(&mut self, _: Instant, _: Instant, _: Instant) {}
    }
}

/// What pieces write, without a lock: loom fails where two threads are at one of them at once.
struct Results(Vec<UnsafeCell<u32>>);

// SAFETY: each piece writes its own cell; loom checks that the leader reads when all are done.
unsafe impl Sync for Results {}

impl Results {
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| UnsafeCell::new(0)).collect())
    }

    fn add(&self, index: usize) {
        // SAFETY: as above.
        self.0[index].with_mut(|value| unsafe { *value += 1 });
    }

    fn assert_each_done_once(&self) {
        for value in &self.0 {
            // SAFETY: as above.
            assert_eq!(value.with(|value| unsafe { *value }), 1);
        }
    }
}

/// Checks a team with this many workers beside the leader, each of which serves until job number `jobs`.
fn check(preemptions: usize, workers: usize, jobs: u32, lead: fn(&Arc<Team>)) {
    check_contended(0, preemptions, workers, jobs, lead);
}

/// As [`check`], where the first jobs find the cores contended.
fn check_contended(contended: u32, preemptions: usize, workers: usize, jobs: u32, lead: fn(&Arc<Team>)) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let team = Arc::new(Team::new(workers + 1, sync::Contention(contended)));
        let serve = |member| {
            let team = team.clone();
            move || {
                let mut last = 0;
                while last < jobs {
                    last = team.serve_next(member, last);
                }
            }
        };
        let threads: Vec<_> = (1..=workers).map(|member| loom::thread::spawn(serve(member))).collect();
        lead(&team);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

fn run_one(team: &Team, count: usize) {
    let results = Results::new(count);
    team.run(count, &|index| results.add(index));
    results.assert_each_done_once();
}

#[test]
fn a_worker_and_its_leader_do_every_piece_of_two_jobs_once() {
    check(3, 1, 2, |team| {
        run_one(team, 2);
        run_one(team, 2);
    });
}

#[test]
fn two_workers_do_every_piece_once() {
    check(2, 2, 1, |team| run_one(team, 3));
}

#[test]
fn a_piece_is_done_once_where_its_owner_and_another_are_at_both_ends_of_a_share() {
    check(3, 1, 1, |team| run_one(team, 4));
}

#[test]
fn a_second_leader_works_alone_or_after_the_first() {
    check(2, 1, 1, |team| {
        let other = team.clone();
        // Whether this one leads a job of the workers depends on the order: no worker is waited for here.
        let thread = loom::thread::spawn(move || run_one(&other, 1));
        run_one(team, 2);
        thread.join().unwrap();
    });
}

#[test]
fn a_worker_that_is_left_asleep_in_one_job_is_there_for_the_next() {
    check_contended(1, 3, 1, 2, |team| {
        run_one(team, 1);
        run_one(team, 2);
    });
}

#[test]
fn a_worker_is_woken_for_a_long_job() {
    // The clock is over behind the second piece.
    check_contended(1, 3, 1, 1, |team| run_one(team, 3));
}
