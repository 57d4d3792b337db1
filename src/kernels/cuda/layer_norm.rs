//! Layer normalisation.

use candle_core::{Result, Tensor};

use super::columns::{join, sum_products};
use super::launch::{Arg, Kernel, Threads, launch};
use super::{room, room_for_sums};
use crate::kernels::GradOut;

/// Value and normalised input (N, C), and one over the standard deviation of each row (N) in f64.
pub(in crate::kernels) fn forward(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<[Tensor; 3]> {
    let (count, width) = xs.dims2()?;
    let (ys, normalized) = (room(xs.shape(), xs)?, room(xs.shape(), xs)?);
    let inverse = room_for_sums(count, xs.device())?;
    let args = [
        Arg::Out(&ys),
        Arg::Out(&normalized),
        Arg::Out(&inverse),
        Arg::In(xs),
        Arg::In(w),
        Arg::In(b),
        Arg::Count(count),
        Arg::Count(width),
        Arg::F64(eps),
    ];
    launch(xs.device(), Kernel::of("layer_normalize", xs.dtype()), Threads::Rows(count), &args)?;
    Ok([ys, normalized, inverse])
}

/// The gradient of the input; those of scale and shift go to their outputs.
pub(in crate::kernels) fn backward(
    w: &Tensor,
    normalized: &Tensor,
    inverse: &Tensor,
    grad: &Tensor,
    outs: [GradOut<'_>; 2],
) -> Result<Tensor> {
    let (count, width) = grad.dims2()?;
    let sums = sum_products(grad, normalized)?;
    let dx = room(grad.shape(), grad)?;
    let args = [
        Arg::Out(&dx),
        Arg::In(grad),
        Arg::In(normalized),
        Arg::In(inverse),
        Arg::In(w),
        Arg::Count(count),
        Arg::Count(width),
    ];
    launch(grad.device(), Kernel::of("layer_norm_back", grad.dtype()), Threads::Rows(count), &args)?;
    join(&sums, outs)?;
    Ok(dx)
}
