//! Threads for work that takes microseconds. An update of a small net forks and joins ten times in a tenth of a
//! millisecond; waking a sleeping thread takes as long as a product. So the members of this team spin for a while
//! before they sleep, and each has a fixed share of every job first: the rows of a weight that it has multiplied are
//! still in its cache when it updates them. Who is done early takes over what others have not begun.
//!
//! Like rayon's pool, the team is one for the process. It decides how long work takes and never what comes out:
//! whoever calls it cuts the work by its size alone.
#![allow(unsafe_code, reason = "work that borrows is lent to threads that outlive it")]

use std::any::Any;
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long a member waits for the next job before it sleeps: longer than the pauses within an update.
const PATIENCE: Duration = Duration::from_micros(200);

static TEAM: OnceLock<Team> = OnceLock::new();

/// Sets the number of threads for the whole process, before the first job; else it is that of the cores, 8 at most.
pub fn use_threads(count: usize) {
    // A team that is at work already stays as it is; that costs time and changes no result.
    let _ = TEAM.set(Team::of(count.max(1)));
}

/// The number of threads that kernels run on.
pub fn threads() -> usize {
    team().members.len()
}

/// Calls `f` on every piece, on all threads, and returns when all are done.
pub(super) fn for_each<P: Send>(pieces: Vec<P>, f: impl Fn(P) + Sync) {
    let team = team();
    if pieces.len() < 2 || team.members.len() < 2 || pieces.len() > usize::from(u16::MAX) {
        pieces.into_iter().for_each(f);
        return;
    }
    let slots: Vec<Mutex<Option<P>>> = pieces.into_iter().map(|piece| Mutex::new(Some(piece))).collect();
    team.run(slots.len(), &|index| {
        let piece = slots[index].lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(piece) = piece {
            f(piece);
        }
    });
}

/// What `f` gives for every piece, in the pieces' order.
pub(super) fn map<P: Send, R: Send>(pieces: Vec<P>, f: impl Fn(P) -> R + Sync) -> Vec<R> {
    let mut results: Vec<Option<R>> = pieces.iter().map(|_| None).collect();
    let places = pieces.into_iter().zip(&mut results).collect();
    for_each(places, |(piece, place): (P, &mut Option<R>)| *place = Some(f(piece)));
    results.into_iter().flatten().collect()
}

/// As [`for_each`], and gives an error of a piece that failed.
pub(super) fn try_for_each<P: Send>(
    pieces: Vec<P>,
    f: impl Fn(P) -> candle_core::Result<()> + Sync,
) -> candle_core::Result<()> {
    let failed = Mutex::new(None);
    for_each(pieces, |piece| {
        if let Err(error) = f(piece) {
            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// As many threads as there are cores, but no more than a product is cut in pieces: the others would wait awake.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8)
}

fn team() -> &'static Team {
    let team = TEAM.get_or_init(|| Team::of(default_threads()));
    team.start();
    team
}

/// A value on cache lines of its own, so that threads that write their neighbours do not slow each other down.
#[repr(align(128))]
struct Apart<T>(T);

/// What a job does with the index of a piece.
type Work<'a> = dyn Fn(usize) + Sync + 'a;

struct Team {
    /// A share of the job's indices for each thread, the leader's first; see [`Share`].
    members: Vec<Apart<AtomicU64>>,
    /// The number of the current job.
    job: Apart<AtomicU32>,
    work: UnsafeCell<Option<&'static Work<'static>>>,
    /// How many pieces of the job are not done.
    unfinished: Apart<AtomicUsize>,
    /// Whether a leader has a job under way.
    busy: AtomicBool,
    started: AtomicBool,
    panicked: Mutex<Option<Box<dyn Any + Send>>>,
    sleepers: AtomicUsize,
    bed: Mutex<()>,
    alarm: Condvar,
}

// SAFETY: `work` is all that is not `Sync` by itself. It is written by the one leader (`busy`) while no share of the
// job has pieces left, and read by those alone who have claimed a piece of the job that it was written for.
unsafe impl Sync for Team {}

/// A member's part of a job in one word, so that a claim is one atomic step that fails if the job has changed: the
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
    fn of(threads: usize) -> Self {
        Self {
            members: (0..threads).map(|_| Apart(AtomicU64::new(0))).collect(),
            job: Apart(AtomicU32::new(0)),
            work: UnsafeCell::new(None),
            unfinished: Apart(AtomicUsize::new(0)),
            busy: AtomicBool::new(false),
            started: AtomicBool::new(false),
            panicked: Mutex::new(None),
            sleepers: AtomicUsize::new(0),
            bed: Mutex::new(()),
            alarm: Condvar::new(),
        }
    }

    /// Starts the threads once. A thread that the system refuses is done without: the others take its share.
    fn start(&'static self) {
        if self.started.load(Ordering::Relaxed) || self.started.swap(true, Ordering::Relaxed) {
            return;
        }
        for member in 1..self.members.len() {
            let name = format!("kernels-{member}");
            let _ = std::thread::Builder::new().name(name).spawn(move || self.serve(member));
        }
    }

    /// Runs `work` for every index below `count`. A leader who finds another at it, or who is one's helper, works alone.
    fn run(&self, count: usize, work: &Work<'_>) {
        if self.busy.swap(true, Ordering::Acquire) {
            (0..count).for_each(work);
            return;
        }
        // SAFETY: only the lifetime changes. `run` returns when every piece is done, and no one calls `work` who has not
        // claimed one.
        let lent = unsafe { std::mem::transmute::<&Work<'_>, &'static Work<'static>>(work) };
        // SAFETY: the last job's pieces are done and `busy` keeps other leaders out, so no one reads this now.
        unsafe { *self.work.get() = Some(lent) };
        let job = self.job.0.load(Ordering::Relaxed).wrapping_add(1);
        self.unfinished.0.store(count, Ordering::Relaxed);
        let members = self.members.len();
        for (index, member) in self.members.iter().enumerate() {
            let bound = |index: usize| u16::try_from(index * count / members).unwrap_or(u16::MAX);
            let share = Share { job, next: bound(index), end: bound(index + 1) };
            member.0.store(share.pack(), Ordering::Release);
        }
        self.job.0.store(job, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(self.bed.lock());
            self.alarm.notify_all();
        }
        self.work_on(job, 0);
        let mut waited = 0u32;
        while self.unfinished.0.load(Ordering::Acquire) > 0 {
            waited += 1;
            if waited.is_multiple_of(1 << 12) { std::thread::yield_now() } else { spin_loop() }
        }
        let panicked = self.panicked.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.busy.store(false, Ordering::Release);
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
    }

    /// Does what is left of a job: a member's own share, then the others'.
    fn work_on(&self, job: u32, member: usize) {
        let members = self.members.len();
        for index in (0..members).map(|offset| (member + offset) % members) {
            while let Some(piece) = self.claim(job, index) {
                // SAFETY: the claim shows that `job` is not over: its leader waits for this piece, and has written the
                // work before the share that the claim has read.
                let work = unsafe { *self.work.get() };
                let done = catch_unwind(AssertUnwindSafe(|| work.into_iter().for_each(|work| work(piece))));
                if let Err(panic) = done {
                    *self.panicked.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                }
                self.unfinished.0.fetch_sub(1, Ordering::Release);
            }
        }
    }

    /// The next piece of a member's share, if there is one and the job is still this one.
    fn claim(&self, job: u32, member: usize) -> Option<usize> {
        let word = &self.members[member].0;
        let mut seen = word.load(Ordering::Acquire);
        loop {
            let share = Share::unpack(seen);
            if share.job != job || share.next >= share.end {
                return None;
            }
            let taken = Share { next: share.next + 1, ..share }.pack();
            match word.compare_exchange_weak(seen, taken, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(usize::from(share.next)),
                Err(now) => seen = now,
            }
        }
    }

    /// A member's life.
    fn serve(&self, member: usize) {
        let mut last = 0;
        loop {
            last = self.await_job(last);
            self.work_on(last, member);
        }
    }

    /// Waits for another job than the last one: awake at first, then asleep.
    fn await_job(&self, last: u32) -> u32 {
        let mut since = None;
        loop {
            for _ in 0..256 {
                let job = self.job.0.load(Ordering::Acquire);
                if job != last {
                    return job;
                }
                spin_loop();
            }
            let start = *since.get_or_insert_with(Instant::now);
            if start.elapsed() > PATIENCE {
                break;
            }
        }
        let mut bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
        // In this order here, and the other way round in `run`: one of the two sees what the other did.
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        while self.job.0.load(Ordering::SeqCst) == last {
            bed = self.alarm.wait(bed).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        self.job.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests;
