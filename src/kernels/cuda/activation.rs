//! Activation functions.

use candle_core::{Result, Tensor};

use super::launch::{Arg, Kernel, Threads, launch};
use super::room;
use crate::kernels::Activation;

/// The number by which the kernels know it; -1 is none.
pub(super) fn number(act: Option<Activation>) -> Arg<'static> {
    Arg::I32(act.map_or(-1, |act| act as i32))
}

/// As `activation::forward`.
pub(in crate::kernels) fn forward(act: Activation, xs: &Tensor) -> Result<Tensor> {
    let ys = room(xs.shape(), xs)?;
    let count = xs.elem_count();
    let args = [Arg::Out(&ys), Arg::In(xs), Arg::Count(count), number(Some(act))];
    launch(xs.device(), Kernel::of("activate", xs.dtype()), Threads::Each(count), &args)?;
    Ok(ys)
}

/// As `activation::backward`.
pub(in crate::kernels) fn backward(
    act: Activation,
    xs: &Tensor,
    ys: &Tensor,
    grad: &Tensor,
) -> Result<Tensor> {
    let out = room(xs.shape(), xs)?;
    let count = xs.elem_count();
    let args =
        [Arg::Out(&out), Arg::In(xs), Arg::In(ys), Arg::In(grad), Arg::Count(count), number(Some(act))];
    launch(xs.device(), Kernel::of("multiply_slope", xs.dtype()), Threads::Each(count), &args)?;
    Ok(out)
}
