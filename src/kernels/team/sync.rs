//! The atomics and locks that [`super::jobs`] is written with. `tests/loom` compiles the same code with loom's in their
//! place.

pub(super) use std::hint::spin_loop;
pub(super) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
pub(super) use std::sync::{Condvar, Mutex};
pub(super) use std::thread::yield_now;

pub(super) use std::time::Instant;

use std::time::Duration;

pub(super) use super::contention::Contention;

/// The number of times that a worker looks for a job before it looks at the clock.
pub(super) const SPINS: u32 = 256;

/// The time for which a worker looks for the next job before it sleeps: longer than the pauses within an update.
pub(super) const SPIN_TIME: Duration = Duration::from_micros(200);

/// [`std::cell::UnsafeCell`] with loom's interface.
pub(super) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(super) fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    pub(super) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    pub(super) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// Runs from the first time it is asked.
#[derive(Default)]
pub(super) struct SpinClock(Option<Instant>);

impl SpinClock {
    /// Whether [`SPIN_TIME`] has passed.
    pub(super) fn is_over(&mut self) -> bool {
        self.0.get_or_insert_with(Instant::now).elapsed() > SPIN_TIME
    }
}
