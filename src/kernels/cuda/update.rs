//! Optimizers' updates.

use candle_core::{Result, Tensor, Var, bail};

use super::launch::{Arg, CONSTANTS, Constants, Kernel, Threads, launch};
use crate::kernels::recorded::Recording;
use crate::kernels::update::GradTransform;

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
    let replayed = transform.condition.and_then(|flag| flag.replayed);
    let read_from = replayed.map(|replayed| replayed.put(constants)).transpose()?;
    if matches!(read_from, Some(None)) {
        return Ok(());
    }
    let count = param.elem_count();
    launch(
        param.device(),
        Kernel::of(&formula.kernel(), param.dtype()),
        Threads::Each(count),
        &[
            Arg::Out(param),
            Arg::In(grad),
            Arg::Slots(places),
            Arg::Count(count),
            Arg::Constants(constants),
            Arg::or_null(read_from.flatten().as_ref()),
            Arg::or_null(transform.condition.map(|flag| flag.guard.skip_flag())),
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
