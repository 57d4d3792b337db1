//! Constants that a captured graph reads again at each replay.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Result, Tensor};

use super::launch::{CONSTANTS, Constants, send};

/// The numbers of all updates' kernels in the order of their launches, in the device's memory: a captured graph reads
/// them there, so that each replay has its own.
#[derive(Debug)]
pub struct Replayed {
    buffer: Tensor,
    numbers: Mutex<Vec<f64>>,
    captured: AtomicBool,
}

impl Replayed {
    /// A buffer for an update of so many kernels.
    pub fn new(kernels: usize, device: &Device) -> Result<Self> {
        let buffer = Tensor::zeros(kernels.max(1) * CONSTANTS, DType::F64, device)?;
        Ok(Self { buffer, numbers: Mutex::default(), captured: false.into() })
    }

    /// From now on launches are not made: they are part of a graph.
    pub fn is_captured(&self) {
        self.captured.store(true, Ordering::Relaxed);
    }

    /// Launches are made again, for a new graph.
    pub fn forget(&self) {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.captured.store(false, Ordering::Relaxed);
    }

    /// Stores the constants of the next launch and returns the buffer that the kernel reads; `None` during replay.
    pub(super) fn put(&self, constants: Constants) -> Result<Option<Tensor>> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let place = numbers.len();
        numbers.extend(constants);
        let launches = !self.captured.load(Ordering::Relaxed);
        launches.then(|| self.buffer.narrow(0, place, CONSTANTS)).transpose()
    }

    /// Sends the numbers to the device, for the launches that are part of a graph.
    pub fn send(&self) -> Result<()> {
        let numbers = std::mem::take(&mut *self.numbers.lock().unwrap_or_else(PoisonError::into_inner));
        let count = numbers.len();
        send(&self.buffer.narrow(0, 0, count)?, &numbers)
    }
}
