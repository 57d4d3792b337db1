//! Dropout masks.

use candle_core::{DType, Device, Result, Tensor};

use super::launch::{Arg, Threads, launch, room};
use crate::rng::Source;

/// A mask of (steps, rows, width) elements: `kept` where the stream's word is not below `dropped`, else 0. Positions in
/// the stream go row by row, from `first` on.
pub(in crate::kernels) fn mask(
    (device, dtype): (&Device, DType),
    [steps, rows, width]: [usize; 3],
    (source, step_counter): (Source, Option<&Tensor>),
    first: u64,
    (dropped, kept): (u64, f64),
) -> Result<Tensor> {
    let count = steps * rows * width;
    let mask = room(count.into(), dtype, device)?;
    let args = [
        Arg::Out(&mask),
        Arg::Count(steps),
        Arg::Count(rows),
        Arg::Count(width),
        Arg::U64(source.seed),
        Arg::U32(source.purpose as u32),
        Arg::U64(source.index & 0xFFFF),
        Arg::U64(source.index >> 16),
        Arg::or_null(step_counter),
        Arg::U64(first),
        Arg::U64(dropped),
        Arg::F64(kept),
    ];
    launch(device, ("dropout_mask", Some(dtype)), Threads::Each(count), &args)?;
    Ok(mask)
}
