//! The sharing of a job by the threads of a team. The leader, whoever calls [`Team::run`], publishes a share of the
//! job's indices for each member; a member claims the indices of its own share one by one, then those left in the other
//! members' shares, from the end. The leader takes part and returns when the last piece is done.
//!
//! `tests/loom` checks this file with loom, and lists the orderings that the check has been seen to need.
#![allow(unsafe_code, reason = "work that borrows is lent to threads that outlive it")]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{PoisonError, TryLockError};

use super::sync::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Condvar, Contention, Instant, Mutex, Ordering, SPINS,
    SpinClock, UnsafeCell, fence, spin_loop, yield_now,
};

/// A value on cache lines of its own, so that threads that write neighbouring values do not slow each other down.
#[repr(align(128))]
struct CachePadded<T>(T);

/// The function that a job calls with the index of a piece.
type Work<'a> = dyn Fn(usize) + Sync + 'a;

/// Threads that work on one job at a time.
pub(super) struct Team {
    /// A share of the job's indices for each member, the leader's first; see [`Share`].
    shares: Vec<CachePadded<AtomicU64>>,
    /// The number of the current job.
    job: CachePadded<AtomicU32>,
    work: UnsafeCell<Option<&'static Work<'static>>>,
    /// The number of pieces of the job that are not done.
    unfinished: CachePadded<AtomicUsize>,
    /// Locked while a leader has a job under way.
    leader: Mutex<Contention>,
    /// Whether workers sleep at once when they have nothing to do, instead of spinning.
    drowsy: AtomicBool,
    panicked: Mutex<Option<Box<dyn Any + Send>>>,
    /// The number of workers that sleep or are about to.
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
}

// SAFETY: `work` is all that is not `Sync` by itself. It is written by the one `leader` while no share of the
// job has pieces left, and read by those alone who have claimed a piece of the job that it was written for.
unsafe impl Sync for Team {}

/// A member's share of a job in one word, so that a claim is one atomic step that fails if the job has changed: the
/// job's number, the next index and the end.
#[derive(Clone, Copy)]
struct Share {
    job: u32,
    next: u16,
    end: u16,
}

impl Share {
    fn pack(self) -> u64 {
        u64::from(self.job) << 32 | u64::from(self.next) << 16 | u64::from(self.end)
    }

    #[allow(clippy::cast_possible_truncation, reason = "the parts of a word")]
    fn unpack(word: u64) -> Self {
        Self { job: (word >> 32) as u32, next: (word >> 16) as u16, end: word as u16 }
    }
}

impl Team {
    /// A team with this many members, the leader among them. Its threads are the caller's to start: each calls
    /// [`Team::serve`].
    pub(super) fn new(members: usize, contention: Contention) -> Self {
        Self {
            shares: (0..members).map(|_| CachePadded(AtomicU64::new(0))).collect(),
            job: CachePadded(AtomicU32::new(0)),
            work: UnsafeCell::new(None),
            unfinished: CachePadded(AtomicUsize::new(0)),
            leader: Mutex::new(contention),
            drowsy: AtomicBool::new(false),
            panicked: Mutex::new(None),
            sleepers: AtomicUsize::new(0),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    pub(super) fn members(&self) -> usize {
        self.shares.len()
    }

    /// Runs `work` for every index below `count`, at most `u16::MAX`. A leader who finds another at it, or who is one's
    /// worker, works alone.
    pub(super) fn run(&self, count: usize, work: &Work<'_>) {
        let mut contention = match self.leader.try_lock() {
            Ok(contention) => contention,
            Err(TryLockError::Poisoned(lock)) => lock.into_inner(),
            Err(TryLockError::WouldBlock) => {
                (0..count).for_each(work);
                return;
            }
        };
        let start = Instant::now();
        let is_contended = contention.is_on(start);
        self.drowsy.store(is_contended, Ordering::Relaxed);
        let job = self.publish(count, work);
        if is_contended {
            // Workers are woken for a long job.
            let mut clock = SpinClock::default();
            self.work_on(job, 0, || {
                if clock.is_over() {
                    self.wake_workers();
                }
            });
        } else {
            self.wake_workers();
            self.work_on(job, 0, || {});
        }
        if let Some(idle) = self.await_workers() {
            contention.waited(start, idle, Instant::now());
        }
        let panicked = self.panicked.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(contention);
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
    }

    /// Waits until all pieces are done; gives the time from which on it took long.
    fn await_workers(&self) -> Option<Instant> {
        let (mut waited, mut idle) = (0u32, None);
        while self.unfinished.0.load(Ordering::Acquire) > 0 {
            waited += 1;
            if waited.is_multiple_of(1 << 12) {
                idle.get_or_insert_with(Instant::now);
                yield_now();
            } else {
                spin_loop();
            }
        }
        idle
    }

    /// Makes a job known to the workers and gives its number.
    fn publish(&self, count: usize, work: &Work<'_>) -> u32 {
        // SAFETY: only the lifetime changes. `run` returns when every piece is done, and no one calls `work` who has not
        // claimed one.
        let lent = unsafe { std::mem::transmute::<&Work<'_>, &'static Work<'static>>(work) };
        // SAFETY: the last job's pieces are done and the lock of `leader` keeps others out, so no one reads this now.
        self.work.with_mut(|work| unsafe { *work = Some(lent) });
        let job = self.job.0.load(Ordering::Relaxed).wrapping_add(1);
        self.unfinished.0.store(count, Ordering::Relaxed);
        let members = self.members();
        for (index, share) in self.shares.iter().enumerate() {
            let bound = |index: usize| u16::try_from(index * count / members).unwrap_or(u16::MAX);
            let range = Share { job, next: bound(index), end: bound(index + 1) };
            share.0.store(range.pack(), Ordering::Release);
        }
        self.job.0.store(job, Ordering::Release);
        job
    }

    /// Wakes the workers that sleep, for the job that was published.
    fn wake_workers(&self) {
        // The job, then a look at who sleeps; in `await_job` the other way round. Of two threads with a fence between,
        // one sees what the other did: a worker does not fall asleep over a new job. (A fence, because loom knows no
        // order of all `SeqCst` operations.)
        fence(Ordering::SeqCst);
        if self.sleepers.load(Ordering::Relaxed) > 0 {
            drop(self.sleep.lock());
            self.wake.notify_all();
        }
    }

    /// Does the rest of a job: a member's own share, then the others'. Calls `after` after each piece.
    fn work_on(&self, job: u32, member: usize, mut after: impl FnMut()) {
        let members = self.members();
        for owner in (0..members).map(|offset| (member + offset) % members) {
            while let Some(piece) = self.claim(job, owner, member) {
                // SAFETY: the claim shows that `job` is not over: its leader waits for this piece, and has written the
                // work before the share that the claim has read.
                let work = self.work.with(|work| unsafe { *work });
                let done = catch_unwind(AssertUnwindSafe(|| work.into_iter().for_each(|work| work(piece))));
                if let Err(panic) = done {
                    *self.panicked.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                }
                self.unfinished.0.fetch_sub(1, Ordering::Release);
                after();
            }
        }
    }

    /// Claims a piece of `owner`'s share, if one is left and the job is still this one. The owner takes the first, others the
    /// last, so that from job to job only the pieces at the end of a share change caches.
    fn claim(&self, job: u32, owner: usize, member: usize) -> Option<usize> {
        let word = &self.shares[owner].0;
        let mut seen = word.load(Ordering::Acquire);
        loop {
            let share = Share::unpack(seen);
            if share.job != job || share.next >= share.end {
                return None;
            }
            let (piece, left) = if owner == member {
                (share.next, Share { next: share.next + 1, ..share })
            } else {
                (share.end - 1, Share { end: share.end - 1, ..share })
            };
            match word.compare_exchange_weak(seen, left.pack(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(usize::from(piece)),
                Err(now) => seen = now,
            }
        }
    }

    /// Works on one job after the other, as the member with this number.
    pub(super) fn serve(&self, member: usize) {
        let mut last = 0;
        loop {
            last = self.serve_next(member, last);
        }
    }

    /// Waits for another job than the last one, works on it and gives its number.
    pub(super) fn serve_next(&self, member: usize, last: u32) -> u32 {
        let job = self.await_job(last);
        self.work_on(job, member, || {});
        job
    }

    /// Waits for another job than the last one: spinning at first, unless the cores are contended, then asleep.
    fn await_job(&self, last: u32) -> u32 {
        let mut clock = SpinClock::default();
        while !self.drowsy.load(Ordering::Relaxed) && !clock.is_over() {
            for _ in 0..SPINS {
                let job = self.job.0.load(Ordering::Acquire);
                if job != last {
                    return job;
                }
                spin_loop();
            }
        }
        let mut asleep = self.sleep.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, Ordering::Relaxed);
        // See `wake_workers`.
        fence(Ordering::SeqCst);
        while self.job.0.load(Ordering::Acquire) == last {
            asleep = self.wake.wait(asleep).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, Ordering::Relaxed);
        self.job.0.load(Ordering::Acquire)
    }
}
