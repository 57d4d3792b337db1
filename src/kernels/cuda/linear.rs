//! `act(x Wᵀ + b)`: the product is cuBLAS', bias and activation are a kernel.

use candle_core::{Result, Tensor};

use super::activation::number;
use super::columns::sum_rows;
use super::launch::{Arg, Kernel, Threads, launch};
use super::room;
use crate::kernels::matmul_precision::product;
use crate::kernels::{Activation, GradOut, MatmulPrecision, autograd};

/// The result of [`forward`].
pub(in crate::kernels) struct Activated {
    /// The value, (N, out).
    pub(in crate::kernels) ys: Tensor,
    /// The argument of an activation whose slope needs it.
    pub(in crate::kernels) argument: Option<Tensor>,
}

/// As `linear::forward`.
pub(in crate::kernels) fn forward(
    xs: &Tensor,
    w: &Tensor,
    b: &Tensor,
    act: Option<Activation>,
    precision: MatmulPrecision,
) -> Result<Activated> {
    let ys = product(xs, &w.t()?, precision)?;
    let argument = act.filter(|act| act.needs_input()).map(|_| room(ys.shape(), &ys)).transpose()?;
    let count = ys.elem_count();
    let args = [
        Arg::Out(&ys),
        argument.as_ref().map_or(Arg::Null, Arg::Out),
        Arg::In(b),
        Arg::Count(count),
        Arg::Count(b.elem_count()),
        number(act),
    ];
    launch(xs.device(), Kernel::of("bias_and_activate", xs.dtype()), Threads::Each(count), &args)?;
    Ok(Activated { ys, argument })
}

/// As `linear::gradients`.
pub(in crate::kernels) fn gradients(
    xs: &Tensor,
    grad: &Tensor,
    [into_w, into_b]: [Option<GradOut<'_>>; 2],
    precision: MatmulPrecision,
) -> Result<()> {
    into_w.map_or(Ok(()), |into| autograd::store(into, &product(&grad.t()?, xs, precision)?))?;
    into_b.map_or(Ok(()), |into| sum_rows(grad, into))
}
