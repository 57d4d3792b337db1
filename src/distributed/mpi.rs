//! The engine: ranks are the processes of an MPI program (crate `mpi`, feature `mpi`).
//!
//! The thread that has begun MPI makes all calls (`MPI_THREAD_FUNNELED`). A call that fails ends the program: MPI's own
//! error handler does. One that another rank does not answer is noticed by a thread that watches.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::mpi::Threading;
use ::mpi::collective::SystemOperation;
use ::mpi::datatype::Equivalence;
use ::mpi::environment::{self, Universe};
use ::mpi::point_to_point::send_receive_into;
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{Communicator as _, CommunicatorCollectives as _, Root as _};

use super::{Communicator, Numbers};

/// The most numbers of a message: MPI counts in 32 bits, and a copy of this many is held.
const MOST: usize = 1 << 22;

/// All processes that the launcher has started.
pub struct World {
    rank: usize,
    size: usize,
    /// The numbers that the other rank sends, or that this one does.
    copy: Mutex<Copies>,
    waits: Arc<Waits>,
    /// Ends MPI when it is dropped.
    _universe: Universe,
}

#[derive(Default)]
struct Copies {
    f32: Vec<f32>,
    f64: Vec<f64>,
}

impl World {
    /// Begins MPI, before the process has other threads. `None` where that was done before.
    pub fn begin() -> Option<Self> {
        let (universe, _) = environment::initialize_with_threading(Threading::Funneled)?;
        let world = universe.world();
        let number = |number: i32| usize::try_from(number).unwrap_or(0);
        let (rank, size) = (number(world.rank()), number(world.size()));
        Some(Self { rank, size, copy: Mutex::default(), waits: Arc::default(), _universe: universe })
    }

    /// From now on `give_up` is called, by another thread, when this rank has waited for the others for so long.
    pub fn watch(&self, timeout: Duration, give_up: impl Fn() + Send + 'static) {
        let waits = Arc::clone(&self.waits);
        let pause = (timeout / 8).clamp(Duration::from_millis(10), Duration::from_secs(1));
        let watch = move || {
            loop {
                std::thread::sleep(pause);
                if waits.longest().is_some_and(|waited| waited >= timeout) {
                    give_up();
                }
            }
        };
        // A system that refuses a thread is one without a watch.
        let _ = std::thread::Builder::new().name("rank-timeout".to_owned()).spawn(watch);
    }

    /// The library that the program runs with, in a line.
    pub fn library() -> String {
        let version = environment::library_version().unwrap_or_default();
        version.lines().next().unwrap_or_default().trim_end_matches('\0').trim().to_owned()
    }

    /// Calls `exchange` on the numbers in messages, with a copy to read or write.
    fn in_messages<T: Equivalence + Copy + Default>(
        &self,
        numbers: &mut [T],
        copy: fn(&mut Copies) -> &mut Vec<T>,
        exchange: impl Fn(&mut [T], &mut [T]),
    ) {
        let mut copies = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let copy = copy(&mut copies);
        copy.resize(copy.len().max(numbers.len().min(MOST)), T::default());
        for numbers in numbers.chunks_mut(MOST) {
            let copy = &mut copy[..numbers.len()];
            self.waits.during(|| exchange(numbers, copy));
        }
    }

    fn sum_of<T>(&self, numbers: &mut [T], copy: fn(&mut Copies) -> &mut Vec<T>)
    where
        T: Equivalence + Copy + Default + std::ops::AddAssign,
    {
        if self.size == 2 {
            // The sum of two is the same in either order, and one exchange is quicker than the engine's own sum.
            return self.add_of(numbers, 1 - self.rank, copy);
        }
        self.in_messages(numbers, copy, |numbers, copy| {
            copy.copy_from_slice(numbers);
            SimpleCommunicator::world().all_reduce_into(copy, numbers, SystemOperation::sum());
        });
    }

    fn add_of<T>(&self, numbers: &mut [T], of: usize, copy: fn(&mut Copies) -> &mut Vec<T>)
    where
        T: Equivalence + Copy + Default + std::ops::AddAssign,
    {
        self.in_messages(numbers, copy, |numbers, copy| {
            let world = SimpleCommunicator::world();
            let other = world.process_at_rank(rank(of));
            send_receive_into(&*numbers, &other, copy, &other);
            numbers.iter_mut().zip(copy.iter()).for_each(|(own, other)| *own += *other);
        });
    }

    fn broadcast_of<T: Equivalence>(&self, numbers: &mut [T], root: usize) {
        for numbers in numbers.chunks_mut(MOST) {
            self.waits.during(|| {
                SimpleCommunicator::world().process_at_rank(rank(root)).broadcast_into(numbers);
            });
        }
    }
}

fn rank(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("rank", &self.rank).field("size", &self.size).finish_non_exhaustive()
    }
}

impl Communicator for World {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn host(&self) -> String {
        environment::processor_name().unwrap_or_default().trim_end_matches('\0').to_owned()
    }

    fn sum(&self, numbers: Numbers<'_>) -> io::Result<()> {
        match numbers {
            Numbers::F32(numbers) => self.sum_of(numbers, |copies| &mut copies.f32),
            Numbers::F64(numbers) => self.sum_of(numbers, |copies| &mut copies.f64),
        }
        Ok(())
    }

    fn add(&self, numbers: Numbers<'_>, of: usize) -> io::Result<()> {
        match numbers {
            Numbers::F32(numbers) => self.add_of(numbers, of, |copies| &mut copies.f32),
            Numbers::F64(numbers) => self.add_of(numbers, of, |copies| &mut copies.f64),
        }
        Ok(())
    }

    fn broadcast(&self, numbers: Numbers<'_>, root: usize) -> io::Result<()> {
        match numbers {
            Numbers::F32(numbers) => self.broadcast_of(numbers, root),
            Numbers::F64(numbers) => self.broadcast_of(numbers, root),
        }
        Ok(())
    }

    fn broadcast_bytes(&self, bytes: &mut Vec<u8>, root: usize) -> io::Result<()> {
        let mut length = [bytes.len() as u64];
        self.broadcast_of(&mut length, root);
        bytes.resize(usize::try_from(length[0]).unwrap_or(usize::MAX), 0);
        self.broadcast_of(bytes, root);
        Ok(())
    }

    fn barrier(&self) -> io::Result<()> {
        self.waits.during(|| SimpleCommunicator::world().barrier());
        Ok(())
    }

    fn abort(&self, code: i32) -> ! {
        SimpleCommunicator::world().abort(code)
    }
}

/// Since when this rank waits for the others.
struct Waits {
    start: Instant,
    /// Milliseconds after the start; 0: it does not wait.
    since: AtomicU64,
}

impl Default for Waits {
    fn default() -> Self {
        Self { start: Instant::now(), since: AtomicU64::new(0) }
    }
}

impl Waits {
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn during<R>(&self, call: impl FnOnce() -> R) -> R {
        self.since.store(self.now().max(1), Ordering::Relaxed);
        let result = call();
        self.since.store(0, Ordering::Relaxed);
        result
    }

    fn longest(&self) -> Option<Duration> {
        let since = self.since.load(Ordering::Relaxed);
        (since > 0).then(|| Duration::from_millis(self.now().saturating_sub(since)))
    }
}
