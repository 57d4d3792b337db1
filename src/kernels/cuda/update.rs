//! Optimizers' updates, and what decides whether they are made.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Result, Tensor, Var, bail};

use super::launch::{Arg, Threads, launch};
use crate::kernels::recorded::Recording;
use crate::kernels::update::GradTransform;

/// The number of constants an update's kernel takes.
pub(super) const CONSTANTS: usize = 16;

/// The gradient's transformation, then the formula's constants.
pub(super) type Constants = [f64; CONSTANTS];

/// Updates `param` and its slots in place by a formula.
pub(in crate::kernels) fn update(
    formula: &Recording,
    transform: &GradTransform<'_>,
    param: &Tensor,
    grad: &Tensor,
    slots: &[&Var],
) -> Result<()> {
    let constants = constants(formula, transform)?;
    let mut places = [None; 3];
    for (place, slot) in places.iter_mut().zip(slots) {
        *place = Some(slot.as_tensor());
    }
    let (now, runs) = match transform.skip_flag.and_then(|skip_flag| skip_flag.replayed) {
        None => (None, true),
        Some(replayed) => replayed.put(constants)?,
    };
    if !runs {
        return Ok(());
    }
    let count = param.elem_count();
    launch(
        param.device(),
        (&formula.kernel(), Some(param.dtype())),
        Threads::Each(count),
        &[
            Arg::Out(param),
            Arg::In(grad),
            Arg::Slots(places),
            Arg::Count(count),
            Arg::Constants(constants),
            Arg::or_null(now.as_ref()),
            Arg::or_null(transform.skip_flag.map(|skip_flag| skip_flag.guard.skip_flag())),
        ],
    )
}

fn constants(formula: &Recording, transform: &GradTransform<'_>) -> Result<Constants> {
    let GradTransform { clamp, scale, coupled, keep, .. } = *transform;
    let mut constants = [0.0; CONSTANTS];
    let all = [clamp, scale, coupled, keep].into_iter().chain(formula.constants.iter().copied());
    let mut places = constants.iter_mut();
    for number in all {
        match places.next() {
            Some(place) => *place = number,
            None => bail!("kernel {} takes {CONSTANTS} numbers at most", formula.kernel()),
        }
    }
    Ok(constants)
}

/// The numbers of all updates' kernels in the order of their launches, in the device's memory: a captured graph reads
/// them there, so that each replay has its own.
#[derive(Debug)]
pub struct Replayed {
    buffer: Tensor,
    numbers: Mutex<Vec<f64>>,
    captured: AtomicBool,
}

impl Replayed {
    /// Room for the updates of so many parameters.
    pub fn new(params: usize, device: &Device) -> Result<Self> {
        let buffer = Tensor::zeros(params.max(1) * CONSTANTS, DType::F64, device)?;
        Ok(Self { buffer, numbers: Mutex::default(), captured: false.into() })
    }

    /// From now on launches are not made: they are part of a graph.
    pub fn is_captured(&self) {
        self.captured.store(true, Ordering::Relaxed);
    }

    /// Takes the numbers of the next launch. Gives where the kernel reads them, and whether it is to be launched.
    fn put(&self, constants: Constants) -> Result<(Option<Tensor>, bool)> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let place = numbers.len();
        numbers.extend(constants);
        Ok((Some(self.buffer.narrow(0, place, CONSTANTS)?), !self.captured.load(Ordering::Relaxed)))
    }

    /// Sends the numbers to the device, for the launches that are part of a graph.
    pub fn send(&self) -> Result<()> {
        let numbers = std::mem::take(&mut *self.numbers.lock().unwrap_or_else(PoisonError::into_inner));
        let count = numbers.len();
        super::write(&self.buffer.narrow(0, 0, count)?, numbers)
    }
}
