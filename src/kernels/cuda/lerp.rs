//! Linear interpolation of weights.

use candle_core::{Result, Tensor};

use super::SkipFlag;
use super::launch::{Arg, CONSTANTS, Kernel, Threads, launch};

/// `start ← start + share · (end - start)`, unless the update is skipped.
pub(in crate::kernels) fn assign(start: &Tensor, end: &Tensor, share: f64, flag: SkipFlag<'_>) -> Result<()> {
    let mut constants = [0.0; CONSTANTS];
    constants[0] = share;
    let read_from = flag.replayed.map(|replayed| replayed.put(constants)).transpose()?;
    if matches!(read_from, Some(None)) {
        return Ok(());
    }
    let (count, read_from) = (start.elem_count(), read_from.flatten());
    let args = [
        Arg::Out(start),
        Arg::In(end),
        Arg::Count(count),
        Arg::Constants(constants),
        Arg::or_null(read_from.as_ref()),
        Arg::In(flag.guard.skip_flag()),
    ];
    launch(start.device(), Kernel::of("lerp", start.dtype()), Threads::Each(count), &args)
}
