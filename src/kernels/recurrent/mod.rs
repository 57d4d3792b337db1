//! Recurrent layers over a whole sequence as one operation each, with their own back-propagation through time.
//!
//! Sequences are time-major here, (T, N, F), so that every step is one contiguous block: the input projection of all
//! steps is one product, only the product with the state runs step by step, and the weights' gradients are one product
//! each. The rows of a batch do not see each other, so that a thread takes some of them through all steps without
//! waiting for others. Formulas, names and the order of the gates are torch's.

mod elman;
mod gru;
mod lstm;
mod pass;
mod rows;
mod sizes;
#[cfg(test)]
mod tests;

use candle_core::{Result, Tensor};

use super::gemm::{Cut, Matrix, matmul, new_matmul};
use super::linear::write_sums;
use super::storage::{Float, edit, tensor, view};
use super::{GradOut, autograd, by_dtype, cuda, is_fused};
pub use pass::{CellKind, CellParams, ForwardPass, RecurrentOutput, StepOrder};
use rows::{RowBlock, filled_by_rows};
use sizes::PassSizes;

/// A layer's steps over xs (T, N, F) from a state of 0.
pub fn forward(
    kind: CellKind,
    xs: &Tensor,
    cell: CellParams<&Tensor>,
    order: StepOrder<'_>,
) -> Result<RecurrentOutput> {
    if cuda::runs_on(xs) {
        return cuda::recurrent::forward(kind, xs, cell, order);
    }
    if !is_fused(xs) {
        return Ok(RecurrentOutput { hs: reference(kind, xs, cell, order)?, saved: Vec::new() });
    }
    by_dtype!(xs, T => match kind {
        CellKind::Elman(act) => elman::forward::<T>(xs, cell, act, order),
        CellKind::Lstm => lstm::forward::<T>(xs, cell, order),
        CellKind::Gru => gru::forward::<T>(xs, cell, order),
    })
}

/// The gradients of [`forward`] from the gradient (T, N, H) of the states: the parameters' go to their outputs, the
/// input's is given back where it is wanted.
pub fn backward(
    pass: ForwardPass<'_>,
    cell: CellParams<&Tensor>,
    grad: &Tensor,
    outs: CellParams<GradOut<'_>>,
    want_input: bool,
) -> Result<Option<Tensor>> {
    if is_fused(pass.xs) {
        return by_dtype!(pass.xs, T => fused_backward::<T>(pass, cell, grad, outs, want_input));
    }
    if cuda::runs_on(pass.xs) {
        return cuda::recurrent::backward(&pass, cell, grad, outs, want_input);
    }
    let [w_ih, w_hh, b_ih, b_hh] = cell;
    let grads = autograd::vjp(&[pass.xs, w_ih, w_hh, b_ih, b_hh], grad, |t| {
        reference(pass.kind, &t[0], [&t[1], &t[2], &t[3], &t[4]], pass.order)
    })?;
    for (out, grad) in outs.into_iter().zip(&grads[1..]) {
        autograd::store(out, grad)?;
    }
    Ok(want_input.then(|| grads[0].clone()))
}

/// The reference implementation, in tensor operations.
pub fn reference(
    kind: CellKind,
    xs: &Tensor,
    [w_ih, w_hh, b_ih, b_hh]: CellParams<&Tensor>,
    order: StepOrder<'_>,
) -> Result<Tensor> {
    let (steps, n, _) = xs.dims3()?;
    let zero = Tensor::zeros((n, w_hh.dim(1)?), xs.dtype(), xs.device())?;
    let (mut h, mut c) = (zero.clone(), zero);
    let mut hs = vec![None; steps];
    for (t, _) in order.of(steps) {
        let input = xs.get(t)?.contiguous()?.matmul(&w_ih.t()?)?.broadcast_add(b_ih)?;
        let state = h.matmul(&w_hh.t()?)?.broadcast_add(b_hh)?;
        (h, c) = match kind {
            CellKind::Elman(act) => (elman::reference_step(&(input + state)?, act)?, c),
            CellKind::Lstm => lstm::reference_step(&(input + state)?, &c)?,
            CellKind::Gru => (gru::reference_step(&input, &state, &h)?, c),
        };
        hs[t] = Some(h.clone());
    }
    Tensor::stack(&hs.into_iter().flatten().collect::<Vec<_>>(), 0)
}

fn fused_backward<T: Float>(
    ForwardPass { kind, xs, output, order }: ForwardPass<'_>,
    [w_ih, w_hh, _, _]: CellParams<&Tensor>,
    grad: &Tensor,
    [into_w_ih, into_w_hh, into_b_ih, into_b_hh]: CellParams<GradOut<'_>>,
    want_input: bool,
) -> Result<Option<Tensor>> {
    let ((steps, n, features), (gates, hidden)) = (xs.dims3()?, w_hh.dims2()?);
    let sizes = PassSizes { steps, n, hidden, order };
    let rows = steps * n;
    let (x, h, g) = (view::<T>(xs)?, view::<T>(&output.hs)?, view::<T>(grad)?);
    let dz = {
        let w_hh = view::<T>(w_hh)?;
        match kind {
            CellKind::Elman(act) => elman::through_time(&g, &h, &w_hh, act, sizes)?,
            CellKind::Lstm => lstm::through_time(&g, output.saved, &w_hh, sizes)?,
            CellKind::Gru => gru::through_time(&g, &h, output.saved, &w_hh, sizes)?,
        }
    };
    let of_state = dz.state.as_ref().unwrap_or(&dz.input);
    let (from_input, from_state) = (view::<T>(&dz.input.grad)?, view::<T>(&of_state.grad)?);
    let input = Matrix::new(&from_input, rows, gates);
    let dx = want_input.then(|| {
        let w_ih = view::<T>(w_ih)?;
        tensor(new_matmul(input, Matrix::new(&w_ih, gates, features), Cut::Rows)?, (steps, n, features))
    });
    let dx = dx.transpose()?;
    edit(into_w_ih.buffer, |dw| {
        matmul(dw, input.t(), Matrix::new(&x, rows, features), into_w_ih.accumulate, Cut::Rows)
    })??;
    state_weight_gradient(&from_state, &h, sizes, into_w_hh)?;
    write_bias_gradient::<T>(into_b_ih, &dz.input.sums)?;
    write_bias_gradient::<T>(into_b_hh, &of_state.sums)?;
    Ok(dx)
}

/// Writes the gradient of a bias, which these are the sums of.
fn write_bias_gradient<T: Float>(into: GradOut<'_>, sums: &[f64]) -> Result<()> {
    edit(into.buffer, |db: &mut [T]| write_sums(db, sums, into.accumulate))
}

/// The gradient of `weight_hh`, where each step's gradient meets the state of the step before it: from the gradients of
/// what the state gave (T, N, G H), and the states (T, N, H).
fn state_weight_gradient<T: Float>(
    from_state: &[T],
    states: &[T],
    sizes: PassSizes<'_>,
    into: GradOut<'_>,
) -> Result<()> {
    let PassSizes { steps, n, hidden, order } = sizes;
    let rows = steps.saturating_sub(1) * n;
    let gates = from_state.len() / (steps * n).max(1);
    // The first step of each.
    let (later, earlier) = if order.reverse { (0, 1) } else { (1, 0) };
    let later = Matrix::new(&from_state[later * n * gates..][..rows * gates], rows, gates);
    let earlier = Matrix::new(&states[earlier * n * hidden..][..rows * hidden], rows, hidden);
    edit(into.buffer, |dw| matmul(dw, later.t(), earlier, into.accumulate, Cut::Rows))?
}

/// Swaps the first two dimensions of (A, B, F): batch first to time first, and back.
pub fn swap_batch_and_time(xs: &Tensor) -> Result<Tensor> {
    if !is_fused(xs) {
        return xs.transpose(0, 1)?.contiguous();
    }
    by_dtype!(xs, T => {
        let (a, b, f) = xs.dims3()?;
        let x = view::<T>(xs)?;
        let swapped = filled_by_rows(b, [f], RowBlock::for_copy(a, x.len()), |rows, [mut swapped]| {
            let own = rows.of(&x, 0, b * f);
            // Step by step, so that what is written lies together.
            for (j, step) in swapped.iter_mut().enumerate() {
                for (i, to) in step.chunks_exact_mut(f.max(1)).enumerate() {
                    to.copy_from_slice(&own[(i * b + j) * f..][..f]);
                }
            }
            Ok(())
        })?;
        let [swapped] = swapped.buffers;
        tensor(swapped, (b, a, f))
    })
}

/// The gradient (T, N, H) of a sequence of `steps` steps, at least one, of which only the last is used: `grad` (N, H) at that step,
/// 0 at the others. It is written by blocks of rows, as the backward pass of a recurrent layer reads it.
pub fn last_step_gradient(grad: &Tensor, steps: usize) -> Result<Tensor> {
    let ((n, hidden), grad) = (grad.dims2()?, &grad.contiguous()?);
    if !is_fused(grad) {
        let whole = Tensor::zeros((steps, n, hidden), grad.dtype(), grad.device())?;
        whole.slice_set(&grad.unsqueeze(0)?, 0, steps - 1)?;
        return Ok(whole);
    }
    by_dtype!(grad, T => {
        let g = view::<T>(grad)?;
        let blocks = RowBlock::for_copy(n, steps * g.len());
        let whole = filled_by_rows(steps, [hidden], blocks, |rows, [mut whole]| {
            if let Some(last) = whole.last_mut() {
                last.copy_from_slice(rows.of(&g, 0, hidden));
            }
            Ok(())
        })?;
        let [whole] = whole.buffers;
        tensor(whole, (steps, n, hidden))
    })
}
