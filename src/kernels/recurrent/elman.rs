//! `h_t = act(x_t W_ihᵀ + b_ih + h_{t-1} W_hhᵀ + b_hh)`

use candle_core::{Result, Tensor};

use super::super::activation::{self, multiply_slope};
use super::super::gemm::{Matrix, matmul};
use super::super::linear::affine;
use super::super::storage::{Float, tensor, view};
use super::{Activation, Arguments, Cell, Output, Sizes, blocks, order};

/// The plain twin of a step, from its argument (N, H).
pub(super) fn plain_step(z: &Tensor, act: Activation) -> Result<Tensor> {
    match act {
        Activation::Tanh => z.tanh(),
        Activation::Relu => z.relu(),
        other => activation::forward(other, z),
    }
}

pub(super) fn forward<T: Float>(
    xs: &Tensor,
    [w_ih, w_hh, b_ih, b_hh]: Cell<&Tensor>,
    act: Activation,
    reverse: bool,
) -> Result<Output> {
    let ((steps, n, features), hidden) = (xs.dims3()?, b_ih.dims1()?);
    let (b_ih, b_hh) = (view::<T>(b_ih)?, view::<T>(b_hh)?);
    let bias: Vec<T> = b_ih.iter().zip(b_hh.iter()).map(|(&a, &b)| a + b).collect();
    let mut hs = affine(&view::<T>(xs)?, &view::<T>(w_ih)?, &bias, (steps * n, features, hidden))?;
    let w_hh = view::<T>(w_hh)?;
    let w_hh = Matrix::new(&w_hh, hidden, hidden).t();
    for (t, previous) in order(steps, reverse) {
        if let Some(previous) = previous {
            let (z, h) = blocks(&mut hs, n * hidden, t, previous);
            matmul(z, Matrix::new(h, n, hidden), w_hh, true)?;
        }
        activation::apply(act, &mut hs[t * n * hidden..][..n * hidden]);
    }
    Ok(Output { hs: tensor(hs, (steps, n, hidden))?, saved: Vec::new() })
}

/// The gradients of the steps' arguments: `dz_t = act'(h_t) · (grad_t + dz_{t+1} W_hh)`.
pub(super) fn through_time<T: Float>(
    grad: &[T],
    h: &[T],
    w_hh: &[T],
    act: Activation,
    sizes: Sizes,
) -> Result<Arguments<T>> {
    let Sizes { steps, n, hidden, reverse } = sizes;
    let size = sizes.state();
    let mut dz = grad.to_vec();
    let mut next: Option<usize> = None;
    for (t, _) in order(steps, reverse).rev() {
        if let Some(next) = next {
            let (z, later) = blocks(&mut dz, size, t, next);
            matmul(z, Matrix::new(later, n, hidden), Matrix::new(w_hh, hidden, hidden), true)?;
        }
        let at = t * size..(t + 1) * size;
        let sloped = multiply_slope(act, &h[at.clone()], &h[at.clone()], &dz[at.clone()]);
        dz[at].copy_from_slice(&sloped);
        next = Some(t);
    }
    Ok(Arguments { input: dz, state: None })
}
