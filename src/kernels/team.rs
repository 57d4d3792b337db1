//! Threads for work that takes microseconds. An update of a small net forks and joins ten times in a tenth of a
//! millisecond; waking a sleeping thread takes as long as a matrix product. So the workers of this team spin for a while
//! before they sleep, and each has a fixed share of every job first: the rows of a weight that it has multiplied are
//! still in its cache when it updates them. A thread that is done early takes pieces that others have not begun, from
//! the end of their shares. Where another process keeps the workers from their cores, `contention` leaves them asleep
//! but for long jobs.
//!
//! Like rayon's pool, there is one team for the process. It decides how long work takes and never the result: callers
//! cut the work by its size alone.
//!
//! `jobs` is the lock-free part. `make model` checks it with loom, under every order of its steps.

mod contention;
mod jobs;
mod sync;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use contention::Contention;
use jobs::Team;

/// The most pieces that a job can have; more are done by the caller alone.
const MAX_PIECES: usize = u16::MAX as usize;

static TEAM: OnceLock<Team> = OnceLock::new();
static STARTED: AtomicBool = AtomicBool::new(false);

/// Sets the number of threads for the whole process, before the first job. The default is the number of cores, at most
/// 8.
pub fn use_threads(count: usize) {
    // A team that is already at work stays as it is: that costs time and changes no result.
    let _ = TEAM.set(Team::new(count.max(1), Contention::default()));
}

/// The number of threads that kernels run on.
pub fn threads() -> usize {
    team().members()
}

/// Calls `f` on every piece, on all threads, and returns when all are done.
pub(super) fn for_each<P: Send>(pieces: Vec<P>, f: impl Fn(P) + Sync) {
    // Behind `dyn`: this is compiled once a type of piece instead of once a caller.
    run_pieces(pieces, &f);
}

fn run_pieces<P: Send>(pieces: Vec<P>, f: &(dyn Fn(P) + Sync)) {
    let team = team();
    if pieces.len() < 2 || team.members() < 2 || pieces.len() > MAX_PIECES {
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

/// The results of `f` for every piece, in the pieces' order.
pub(super) fn map<P: Send, R: Send>(pieces: Vec<P>, f: impl Fn(P) -> R + Sync) -> Vec<R> {
    let mut results: Vec<Option<R>> = pieces.iter().map(|_| None).collect();
    let slots = pieces.into_iter().zip(&mut results).collect();
    for_each(slots, |(piece, slot): (P, &mut Option<R>)| *slot = Some(f(piece)));
    results.into_iter().flatten().collect()
}

/// As [`for_each`]; returns the error of a piece that failed.
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

/// One thread a core, but no more than a product is cut in pieces: the others would spin for nothing.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8)
}

fn team() -> &'static Team {
    let team = TEAM.get_or_init(|| Team::new(default_threads(), Contention::default()));
    if !STARTED.load(Ordering::Relaxed) && !STARTED.swap(true, Ordering::Relaxed) {
        start(team);
    }
    team
}

/// Starts the team's threads. One that the system refuses is done without: the others take its share.
fn start(team: &'static Team) {
    for member in 1..team.members() {
        let name = format!("kernels-{member}");
        let _ = std::thread::Builder::new().name(name).spawn(move || team.serve(member));
    }
}

#[cfg(test)]
mod tests;
