//! Recurrent layers over a whole sequence as one operation each, with their own back-propagation through time.
//!
//! Sequences are time-major here, (T, N, F), so that every step is one contiguous block: the input projection of all
//! steps is one product, only the product with the state runs step by step, and the weights' gradients are one product
//! each. The rows of a batch do not see each other, so that a thread takes some of them through all steps without
//! waiting for others. Formulas, names and the order of the gates are torch's.

mod elman;
mod gru;
mod lstm;
mod rows;

use candle_core::{Result, Tensor};

use super::gemm::{Cut, Matrix, matmul};
use super::linear::sum_rows;
use super::storage::{Float, edit, tensor, view};
use super::{Accumulate, Activation, GradOut, autograd, by_dtype, cuda, is_fused};

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Elman's state, with this activation: <https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html>
    Elman(Activation),
    /// Long short-term memory: <https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html>
    Lstm,
    /// Gated recurrent unit: <https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html>
    Gru,
}

impl Kind {
    /// How many blocks of H rows the weights have: the gates in torch's order.
    pub fn gates(self) -> usize {
        match self {
            Self::Elman(_) => 1,
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }
}

/// The four parameters of one direction of one layer, or their gradients' outputs, where the layer has G gates:
/// `weight_ih` (G H, F), `weight_hh` (G H, H), `bias_ih` (G H), `bias_hh` (G H).
pub type Cell<P> = [P; 4];

/// What [`forward`] gives.
#[derive(Debug, Clone)]
pub struct Output {
    /// The states, (T, N, H).
    pub hs: Tensor,
    /// What [`backward`] needs besides; nothing where the reference implementation ran.
    saved: Vec<Tensor>,
}

#[cfg(test)]
impl Output {
    /// For tests of kernels that keep what they save themselves.
    pub(super) fn of(hs: Tensor, saved: Vec<Tensor>) -> Self {
        Self { hs, saved }
    }
}

/// A layer's steps over xs (T, N, F) from a state of 0. In `reverse` they run from the last step to the first.
pub fn forward(kind: Kind, xs: &Tensor, cell: Cell<&Tensor>, reverse: bool) -> Result<Output> {
    if cuda::runs_on(xs) {
        let (hs, saved) = cuda::recurrent::forward(kind, xs, cell, reverse)?;
        return Ok(Output { hs, saved });
    }
    if !is_fused(xs) {
        return Ok(Output { hs: plain(kind, xs, cell, reverse)?, saved: Vec::new() });
    }
    by_dtype!(xs, T => match kind {
        Kind::Elman(act) => elman::forward::<T>(xs, cell, act, reverse),
        Kind::Lstm => lstm::forward::<T>(xs, cell, reverse),
        Kind::Gru => gru::forward::<T>(xs, cell, reverse),
    })
}

/// A forward pass that [`backward`] goes back through.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    /// What happened at a step.
    pub kind: Kind,
    /// The input, (T, N, F).
    pub xs: &'a Tensor,
    /// What it gave.
    pub output: &'a Output,
    /// Whether it ran from the last step to the first.
    pub reverse: bool,
}

/// The gradients of [`forward`] from the gradient (T, N, H) of the states: the parameters' go to their outputs, the
/// input's is given back where it is wanted.
pub fn backward(
    pass: Pass<'_>,
    cell: Cell<&Tensor>,
    grad: &Tensor,
    outs: Cell<GradOut<'_>>,
    want_input: bool,
) -> Result<Option<Tensor>> {
    if is_fused(pass.xs) {
        return by_dtype!(pass.xs, T => fused_backward::<T>(pass, cell, grad, outs, want_input));
    }
    if cuda::runs_on(pass.xs) {
        return cuda::recurrent::backward(pass, &pass.output.saved, cell, grad, outs, want_input);
    }
    let [w_ih, w_hh, b_ih, b_hh] = cell;
    let grads = autograd::vjp(&[pass.xs, w_ih, w_hh, b_ih, b_hh], grad, |t| {
        plain(pass.kind, &t[0], [&t[1], &t[2], &t[3], &t[4]], pass.reverse)
    })?;
    for (out, grad) in outs.into_iter().zip(&grads[1..]) {
        autograd::store(out, grad)?;
    }
    Ok(want_input.then(|| grads[0].clone()))
}

/// The reference implementation, in tensor operations.
pub fn plain(
    kind: Kind,
    xs: &Tensor,
    [w_ih, w_hh, b_ih, b_hh]: Cell<&Tensor>,
    reverse: bool,
) -> Result<Tensor> {
    let (steps, n, _) = xs.dims3()?;
    let zero = Tensor::zeros((n, w_hh.dim(1)?), xs.dtype(), xs.device())?;
    let (mut h, mut c) = (zero.clone(), zero);
    let mut hs = vec![None; steps];
    for (t, _) in order(steps, reverse) {
        let input = xs.get(t)?.contiguous()?.matmul(&w_ih.t()?)?.broadcast_add(b_ih)?;
        let state = h.matmul(&w_hh.t()?)?.broadcast_add(b_hh)?;
        (h, c) = match kind {
            Kind::Elman(act) => (elman::plain_step(&(input + state)?, act)?, c),
            Kind::Lstm => lstm::plain_step(&(input + state)?, &c)?,
            Kind::Gru => (gru::plain_step(&input, &state, &h)?, c),
        };
        hs[t] = Some(h.clone());
    }
    Tensor::stack(&hs.into_iter().flatten().collect::<Vec<_>>(), 0)
}

/// The order in which the steps run: pairs of a step and the one before it.
pub(super) fn order(steps: usize, reverse: bool) -> impl DoubleEndedIterator<Item = (usize, Option<usize>)> {
    (0..steps).map(move |i| {
        let at = |i: usize| if reverse { steps - 1 - i } else { i };
        (at(i), i.checked_sub(1).map(at))
    })
}

/// The sizes of a pass.
#[derive(Clone, Copy)]
struct Sizes {
    steps: usize,
    n: usize,
    hidden: usize,
    reverse: bool,
}

impl Sizes {
    /// The elements of a step's state.
    fn state(self) -> usize {
        self.n * self.hidden
    }
}

/// The gradients of the steps' arguments, (T, N, G H) each: of what the input gave, and of what the state gave where
/// that is another.
struct Arguments<T> {
    input: Vec<T>,
    state: Option<Vec<T>>,
}

/// The transpose of a weight (rows, cols): where a product is repeated step by step, this is worth its pass.
fn transposed<T: Float>(w: &[T], (rows, cols): (usize, usize)) -> Vec<T> {
    let mut transposed = vec![T::of(0.0); rows * cols];
    for (row, values) in w.chunks_exact(cols.max(1)).enumerate() {
        for (col, &value) in values.iter().enumerate() {
            transposed[col * rows + row] = value;
        }
    }
    transposed
}

fn fused_backward<T: Float>(
    Pass { kind, xs, output, reverse }: Pass<'_>,
    [w_ih, w_hh, _, _]: Cell<&Tensor>,
    grad: &Tensor,
    [into_w_ih, into_w_hh, into_b_ih, into_b_hh]: Cell<GradOut<'_>>,
    want_input: bool,
) -> Result<Option<Tensor>> {
    let ((steps, n, features), (gates, hidden)) = (xs.dims3()?, w_hh.dims2()?);
    let sizes = Sizes { steps, n, hidden, reverse };
    let rows = steps * n;
    let (x, h, g) = (view::<T>(xs)?, view::<T>(&output.hs)?, view::<T>(grad)?);
    let dz = {
        let w_hh = view::<T>(w_hh)?;
        match kind {
            Kind::Elman(act) => elman::through_time(&g, &h, &w_hh, act, sizes)?,
            Kind::Lstm => lstm::through_time(&g, &output.saved, &w_hh, sizes)?,
            Kind::Gru => gru::through_time(&g, &h, &output.saved, &w_hh, sizes)?,
        }
    };
    let from_state = dz.state.as_ref().unwrap_or(&dz.input);
    let input = Matrix::new(&dz.input, rows, gates);
    let dx = want_input.then(|| {
        let mut dx = vec![T::of(0.0); rows * features];
        let w_ih = view::<T>(w_ih)?;
        matmul(&mut dx, input, Matrix::new(&w_ih, gates, features), Accumulate::REPLACE, Cut::Rows)?;
        tensor(dx, (steps, n, features))
    });
    let dx = dx.transpose()?;
    edit(into_w_ih.buffer, |dw| {
        matmul(dw, input.t(), Matrix::new(&x, rows, features), into_w_ih.accumulate, Cut::Rows)
    })??;
    // Each step's gradient meets the state of the step before it.
    let (size, block) = (sizes.state(), n * gates);
    let later = if reverse { &from_state[..rows * gates - block] } else { &from_state[block..] };
    let earlier = if reverse { &h[size..] } else { &h[..rows * hidden - size] };
    edit(into_w_hh.buffer, |dw| {
        let (later, earlier) = (Matrix::new(later, rows - n, gates), Matrix::new(earlier, rows - n, hidden));
        matmul(dw, later.t(), earlier, into_w_hh.accumulate, Cut::Rows)
    })??;
    edit(into_b_ih.buffer, |db| sum_rows(db, &dz.input, into_b_ih.accumulate))?;
    edit(into_b_hh.buffer, |db| sum_rows(db, from_state, into_b_hh.accumulate))?;
    Ok(dx)
}

/// Swaps the first two dimensions of (A, B, F): batch first to time first, and back.
pub fn swap_batch_and_time(xs: &Tensor) -> Result<Tensor> {
    if !is_fused(xs) {
        return xs.transpose(0, 1)?.contiguous();
    }
    by_dtype!(xs, T => {
        let (a, b, f) = xs.dims3()?;
        let x = view::<T>(xs)?;
        let mut swapped = Vec::with_capacity(x.len());
        for j in 0..b {
            for i in 0..a {
                swapped.extend_from_slice(&x[(i * b + j) * f..][..f]);
            }
        }
        tensor(swapped, (b, a, f))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::draws::Draws;

    const KINDS: [Kind; 4] =
        [Kind::Elman(Activation::Tanh), Kind::Elman(Activation::Relu), Kind::Lstm, Kind::Gru];

    fn cell(draws: &Draws, kind: Kind, features: usize, hidden: usize) -> Cell<Tensor> {
        let rows = kind.gates() * hidden;
        [
            draws.normal(&[rows, features], 0.7),
            draws.normal(&[rows, hidden], 0.7),
            draws.normal(&[rows], 0.7),
            draws.normal(&[rows], 0.7),
        ]
    }

    #[test]
    fn value_and_gradients_match_the_reference() {
        let draws = Draws::new(1);
        for (steps, n, features, hidden) in [(1, 2, 3, 4), (5, 1, 2, 3), (6, 4, 3, 5)] {
            for (kind, reverse) in KINDS.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
                let (xs, cell) =
                    (draws.normal(&[steps, n, features], 0.7), cell(&draws, kind, features, hidden));
                let refs = || cell.each_ref();
                let grad = draws.normal(&[steps, n, hidden], 0.7);
                let output = forward(kind, &xs, refs(), reverse).unwrap();
                close(&output.hs, &plain(kind, &xs, refs(), reverse).unwrap());
                let expected = autograd::vjp(&[&xs, &cell[0], &cell[1], &cell[2], &cell[3]], &grad, |t| {
                    plain(kind, &t[0], [&t[1], &t[2], &t[3], &t[4]], reverse)
                })
                .unwrap();
                let buffers = cell.each_ref().map(|p| p.ones_like().unwrap());
                let outs = buffers.each_ref().map(|buffer| GradOut { buffer, accumulate: Accumulate::ADD });
                let pass = Pass { kind, xs: &xs, output: &output, reverse };
                let dx = backward(pass, refs(), &grad, outs, true).unwrap().unwrap();
                close(&dx, &expected[0]);
                for (buffer, expected) in buffers.iter().zip(&expected[1..]) {
                    close(&(buffer - 1.0).unwrap(), expected);
                }
            }
        }
    }

    #[test]
    fn two_thousand_steps_cost_no_stack() {
        let draws = Draws::new(1);
        for kind in KINDS {
            let (xs, cell) = (draws.normal(&[2000, 1, 2], 0.7), cell(&draws, kind, 2, 3));
            let cell = cell.map(|p| (p * 0.01).unwrap());
            let output = forward(kind, &xs, cell.each_ref(), false).unwrap();
            let pass = Pass { kind, xs: &xs, output: &output, reverse: false };
            let buffers = cell.each_ref().map(|p| p.ones_like().unwrap());
            let outs = buffers.each_ref().map(|buffer| GradOut { buffer, accumulate: Accumulate::REPLACE });
            let dx = backward(pass, cell.each_ref(), &output.hs, outs, true).unwrap();
            assert_eq!(dx.unwrap().dims(), [2000, 1, 2]);
        }
    }

    fn close(a: &Tensor, b: &Tensor) {
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < 1e-11, "{difference}");
    }
}
