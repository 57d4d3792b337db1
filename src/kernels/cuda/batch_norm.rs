//! Batch normalisation.

use candle_core::{Result, Tensor};

use super::columns::{join, moments, sum_products};
use super::launch::{Arg, Kernel, Threads, launch};
use super::room;
use crate::kernels::GradOut;

/// Value and normalised input (N, C), mean and biased variance (C).
pub(in crate::kernels) fn forward(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<[Tensor; 4]> {
    let (count, width) = xs.dims2()?;
    let (rows, cols) = (Arg::Count(count), Arg::Count(width));
    let (mean, var) = (room(width, xs)?, room(width, xs)?);
    let moments = moments(xs, [&mean, &var])?;
    let (ys, normalized) = (room(xs.shape(), xs)?, room(xs.shape(), xs)?);
    let args = [
        Arg::Out(&ys),
        Arg::Out(&normalized),
        Arg::In(xs),
        Arg::In(&moments),
        Arg::In(w),
        Arg::In(b),
        rows,
        cols,
        Arg::F64(eps),
    ];
    launch(xs.device(), Kernel::of("batch_normalize", xs.dtype()), Threads::Each(count * width), &args)?;
    Ok([ys, normalized, mean, var])
}

/// The gradient of the input; those of scale and shift go to their outputs.
pub(in crate::kernels) fn backward(
    w: &Tensor,
    normalized: &Tensor,
    var: &Tensor,
    eps: f64,
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
        Arg::In(w),
        Arg::In(var),
        Arg::In(&sums),
        Arg::Count(count),
        Arg::Count(width),
        Arg::F64(eps),
    ];
    launch(grad.device(), Kernel::of("batch_norm_back", grad.dtype()), Threads::Each(count * width), &args)?;
    join(&sums, outs)?;
    Ok(dx)
}
