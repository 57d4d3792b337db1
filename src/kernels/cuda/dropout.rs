//! Dropout masks.

use candle_core::{Result, Tensor};

use super::launch::{Arg, Kernel, Threads, launch};
use super::room;
use crate::rng::StreamId;

/// The elements of a mask, and where they come from.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Draw<'a> {
    /// Steps, rows and width of the mask. Positions in the stream go row by row.
    pub(in crate::kernels) shape: [usize; 3],
    /// The stream.
    pub(in crate::kernels) source: StreamId,
    /// The device's counter of steps that selects the stream, if it is not the source's.
    pub(in crate::kernels) step_counter: Option<&'a Tensor>,
    /// The position of the first element in the stream.
    pub(in crate::kernels) first: u64,
    /// Elements whose word of the stream is below this are 0.
    pub(in crate::kernels) dropped: u64,
    /// The others are this.
    pub(in crate::kernels) kept: f64,
}

/// A mask of (steps, rows, width) elements, of the type of `like` and on its device.
pub(in crate::kernels) fn mask(like: &Tensor, draw: Draw<'_>) -> Result<Tensor> {
    let Draw { shape: [steps, rows, width], source, step_counter, first, dropped, kept } = draw;
    let count = steps * rows * width;
    let mask = room(count, like)?;
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
    launch(like.device(), Kernel::of("dropout_mask", like.dtype()), Threads::Each(count), &args)?;
    Ok(mask)
}
