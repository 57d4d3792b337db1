//! `h_t = act(x_t W_ihᵀ + b_ih + h_{t-1} W_hhᵀ + b_hh)`

use candle_core::{Result, Tensor};

use super::super::activation::{self, add_and_slope, shift_and_apply};
use super::super::buffers::FilledBuffers;
use super::super::columns::{add_rows, total};
use super::super::gemm::{Matrix, Panels, matmul_packed};
use super::super::storage::{Float, tensor, view};
use super::super::{Accumulate, Activation};
use super::pass::{CellParams, RecurrentOutput, StepOrder};
use super::rows::{RowBlock, Steps, filled_beside, filled_by_rows, two};
use super::sizes::{ArgumentGrad, GateGrads, PassSizes, input_products};

/// The reference implementation of a step, from its argument (N, H).
pub(super) fn reference_step(z: &Tensor, act: Activation) -> Result<Tensor> {
    match act {
        Activation::Tanh => z.tanh(),
        Activation::Relu => z.relu(),
        other => activation::forward(other, z),
    }
}

pub(super) fn forward<T: Float>(
    xs: &Tensor,
    [w_ih, w_hh, b_ih, b_hh]: CellParams<&Tensor>,
    act: Activation,
    order: StepOrder<'_>,
) -> Result<RecurrentOutput> {
    let ((steps, n, _), hidden) = (xs.dims3()?, b_ih.dims1()?);
    let (b_ih, b_hh) = (view::<T>(b_ih)?, view::<T>(b_hh)?);
    let bias: Vec<T> = b_ih.iter().zip(b_hh.iter()).map(|(&a, &b)| a + b).collect();
    // Repeated for the rows of a block, so that one loop goes over all of them.
    let tiled_bias = bias.repeat(RowBlock::largest(n));
    let mut hs = input_products::<T>(xs, w_ih)?;
    let w_hh = Panels::new(Matrix::new(&view::<T>(w_hh)?, hidden, hidden).t());
    let block = |rows: RowBlock, mut hs: Steps<'_, T>, []: [Steps<'_, T>; 0]| {
        for (t, previous) in order.of(steps) {
            order.check()?;
            if let Some(previous) = previous {
                let (z, h) = two(&mut hs, t, previous);
                let h = Matrix::new(h, rows.count, hidden);
                matmul_packed(z, h, &w_hh, Accumulate::ADD, rows.cut())?;
            }
            shift_and_apply(Some(act), hs[t], &tiled_bias[..rows.count * hidden]);
        }
        Ok(())
    };
    filled_beside(&mut hs, [steps, n], [], block)?;
    Ok(RecurrentOutput { hs: tensor(hs, (steps, n, hidden))?, saved: Vec::new() })
}

/// The gradients of the steps' arguments: `dz_t = act'(h_t) · (grad_t + dz_{t+1} W_hh)`.
pub(super) fn through_time<T: Float>(
    grad: &[T],
    h: &[T],
    w_hh: &[T],
    act: Activation,
    sizes: PassSizes<'_>,
) -> Result<GateGrads> {
    let PassSizes { steps, n, hidden, order } = sizes;
    let w_hh = Panels::new(Matrix::new(w_hh, hidden, hidden));
    let filled = filled_by_rows(steps, [hidden], RowBlock::blocks(n), |rows, [mut dz]| {
        let mut sums = vec![0.0; hidden];
        let mut next: Option<usize> = None;
        for (t, _) in order.of(steps).rev() {
            order.check()?;
            if let Some(next) = next {
                let (z, later) = two(&mut dz, t, next);
                let later = Matrix::new(later, rows.count, hidden);
                matmul_packed(z, later, &w_hh, Accumulate::REPLACE, rows.cut())?;
            }
            add_and_slope(act, dz[t], rows.of(grad, t, hidden), rows.of(h, t, hidden));
            add_rows(&mut sums, dz[t]);
            next = Some(t);
        }
        Ok(sums)
    })?;
    let FilledBuffers { buffers: [dz], results: sums } = filled;
    let input = ArgumentGrad { grad: tensor(dz, (steps, n, hidden))?, sums: total(sums, hidden) };
    Ok(GateGrads { input, state: None })
}
