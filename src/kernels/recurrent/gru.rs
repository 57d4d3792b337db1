//! The gated recurrent unit: Cho et al. 2014, with the gates r, z, n in torch's order and the reset after the product:
//! `n = tanh(x W_in + b_in + r (h W_hn + b_hn))`, `h_t = (1 - z) n + z h_{t-1}`.

use candle_core::{Result, Tensor};

use super::super::Accumulate;
use super::super::buffers::FilledBuffers;
use super::super::columns::{add_columns, add_rows, total};
use super::super::gemm::{Matrix, Panels, matmul_packed};
use super::super::storage::{Float, edit, tensor, view};
use super::super::vectorized::vectorized;
use super::pass::{CellParams, RecurrentOutput, StepOrder};
use super::rows::{RowBlock, Steps, filled_beside, two};
use super::sizes::{ArgumentGrad, GateGrads, PassSizes, input_products};

/// The reference implementation of a step, from what input and state give (N, 3 H) and the state (N, H).
pub(super) fn reference_step(input: &Tensor, state: &Tensor, h: &Tensor) -> Result<Tensor> {
    let hidden = h.dim(1)?;
    let gate = |of: &Tensor, k: usize| of.narrow(1, k * hidden, hidden);
    let sigmoid = |k: usize| candle_nn::ops::sigmoid(&(gate(input, k)? + gate(state, k)?)?);
    let n = (gate(input, 2)? + (sigmoid(0)? * gate(state, 2)?)?)?.tanh()?;
    let z = sigmoid(1)?;
    &n + (z * (h - &n)?)?
}

/// Keeps the gates (T, N, 3 H) and what the state gave to n (T, N, H).
pub(super) fn forward<T: Float>(
    xs: &Tensor,
    [w_ih, w_hh, b_ih, b_hh]: CellParams<&Tensor>,
    order: StepOrder<'_>,
) -> Result<RecurrentOutput> {
    let ((steps, n, _), (width, hidden)) = (xs.dims3()?, w_hh.dims2()?);
    let (b_ih, b_hh) = (view::<T>(b_ih)?, view::<T>(b_hh)?);
    // The reset gate scales what the state gives to n, with its bias.
    let (of_gates, new_bias) = b_hh.split_at(2 * hidden);
    let mut bias = b_ih.to_vec();
    bias.iter_mut().zip(of_gates).for_each(|(bias, &of_gates)| *bias += of_gates);
    let mut gates = input_products::<T>(xs, w_ih)?;
    let w_hh = Panels::new(Matrix::new(&view::<T>(w_hh)?, width, hidden).t());
    let block = |rows: RowBlock, mut gates: Steps<'_, T>, [mut from_state, mut hs]: [Steps<'_, T>; 2]| {
        let start = vec![T::of(0.0); rows.count * hidden];
        let mut state = vec![T::of(0.0); rows.count * width];
        for (t, previous) in order.of(steps) {
            order.check()?;
            let (h, before) = match previous {
                Some(previous) => two(&mut hs, t, previous),
                None => (&mut *hs[t], &start[..]),
            };
            if previous.is_some() {
                let before = Matrix::new(before, rows.count, hidden);
                matmul_packed(&mut state, before, &w_hh, Accumulate::REPLACE, rows.cut())?;
            }
            let given = GruStep { bias: &bias, new_bias, products: &state, before };
            step(given, gates[t], from_state[t], h);
        }
        Ok(())
    };
    let [from_state, hs] = filled_beside(&mut gates, [steps, n], [hidden; 2], block)?.buffers;
    let saved = vec![tensor(gates, (steps, n, width))?, tensor(from_state, (steps, n, hidden))?];
    Ok(RecurrentOutput { hs: tensor(hs, (steps, n, hidden))?, saved })
}

/// The inputs of a step of some rows (N).
struct GruStep<'a, T> {
    /// The biases that join the input's products, (3 H): of r and z both, of n the input's.
    bias: &'a [T],
    /// The state's bias of n, (H).
    new_bias: &'a [T],
    /// The state's products, (N, 3 H).
    products: &'a [T],
    /// The state before, (N, H).
    before: &'a [T],
}

vectorized! {
    /// Computes the gates from the input's products, in place, the state's share of n's argument, and the new state.
    fn step[T: Float](given: GruStep<'_, T>, z: &mut [T], from_state: &mut [T], h: &mut [T]) {
        let GruStep { bias, new_bias, products, before } = given;
        let hidden = new_bias.len();
        let rows = z.chunks_exact_mut(3 * hidden).zip(products.chunks_exact(3 * hidden));
        let states = before.chunks_exact(hidden).zip(h.chunks_exact_mut(hidden));
        for ((z, products), (from_state, (before, h))) in
            rows.zip(from_state.chunks_exact_mut(hidden).zip(states))
        {
            let (gates, new) = z.split_at_mut(2 * hidden);
            let ((to_gates, to_new), (gate_bias, input_bias)) =
                (products.split_at(2 * hidden), bias.split_at(2 * hidden));
            // A loop for each: one over all of them has too many slices to become vector code.
            for (z, (&product, &b)) in gates.iter_mut().zip(to_gates.iter().zip(gate_bias)) {
                *z = (*z + product + b).sigmoid();
            }
            for (from_state, (&product, &b)) in from_state.iter_mut().zip(to_new.iter().zip(new_bias)) {
                *from_state = product + b;
            }
            let (reset, update) = gates.split_at(hidden);
            for (new, ((&b, &reset), &from_state)) in
                new.iter_mut().zip(input_bias.iter().zip(reset).zip(&*from_state))
            {
                *new = (*new + b + reset * from_state).hyperbolic_tangent();
            }
            // Of known length: a check of each index would leave the loop scalar.
            let (update, new) = (&update[..hidden], &new[..hidden]);
            let (before, h) = (&before[..hidden], &mut h[..hidden]);
            for k in 0..hidden {
                h[k] = new[k] + update[k] * (before[k] - new[k]);
            }
        }
    }
}

/// The gradients of the steps' arguments. What the state gives to n passes the reset gate, so that its gradient is not
/// that of what the input gives, which takes the place of the gates.
pub(super) fn through_time<T: Float>(
    grad: &[T],
    h: &[T],
    saved: Vec<Tensor>,
    w_hh: &[T],
    sizes: PassSizes<'_>,
) -> Result<GateGrads> {
    let Ok([gates, from_state]) = <[Tensor; 2]>::try_from(saved) else {
        candle_core::bail!("a GRU's backward needs its gates")
    };
    let from_state = view::<T>(&from_state)?;
    let PassSizes { steps, n, hidden, order } = sizes;
    let width = 3 * hidden;
    let w_hh = Panels::new(Matrix::new(w_hh, width, hidden));
    let block = |rows: RowBlock, mut gates: Steps<'_, T>, [mut state]: [Steps<'_, T>; 1]| {
        let zero = vec![T::of(0.0); rows.count * hidden];
        // What of the gradient of a state goes to the one before it directly, and all of it.
        let (mut direct, mut dh) = (zero.clone(), zero.clone());
        let mut sums = vec![0.0; width + hidden];
        let mut next: Option<usize> = None;
        for (t, previous) in order.of(steps).rev() {
            order.check()?;
            add(&mut dh, rows.of(grad, t, hidden), &direct);
            if let Some(next) = next {
                let fed_back = Matrix::new(state[next], rows.count, width);
                matmul_packed(&mut dh, fed_back, &w_hh, Accumulate::ADD, rows.cut())?;
            }
            let before = previous.map_or(&zero[..], |previous| rows.of(h, previous, hidden));
            let kept = [before, rows.of(&from_state, t, hidden)];
            step_back(kept, &dh, &mut direct, [&mut *gates[t], &mut *state[t]], hidden);
            add_sums(&mut sums, gates[t], state[t]);
            next = Some(t);
        }
        Ok(sums)
    };
    let filled = edit(&gates, |gates| filled_beside(gates, [steps, n], [width], block))??;
    gate_grads(gates, filled)
}

/// The gradients of the arguments, of which `gates` has what the input gives (T, N, 3 H), and `filled` what the state gives, with
/// the sums of [`add_sums`] for each block of rows.
fn gate_grads<T: Float>(gates: Tensor, filled: FilledBuffers<T, Vec<f64>, 1>) -> Result<GateGrads> {
    let FilledBuffers { buffers: [state], results: sums } = filled;
    let hidden = gates.dim(2)? / 3;
    let mut of_input = total(sums, 4 * hidden);
    let to_new = of_input.split_off(3 * hidden);
    let of_state = [&of_input[..2 * hidden], &to_new].concat();
    let state = ArgumentGrad { grad: tensor(state, gates.shape())?, sums: of_state };
    Ok(GateGrads { input: ArgumentGrad { grad: gates, sums: of_input }, state: Some(state) })
}

/// Adds the rows of a step to the sums (4 H) over the gradients of what the input gives to the gates (3 H), and of what the state
/// gives to n (H): to r and z the state's are the input's.
fn add_sums<T: Float>(sums: &mut [f64], of_input: &[T], of_state: &[T]) {
    let hidden = sums.len() / 4;
    let (to_gates, to_new) = sums.split_at_mut(3 * hidden);
    add_rows(to_gates, of_input);
    add_columns(to_new, &of_state[2 * hidden..], 3 * hidden);
}

/// `out ← a + b`
fn add<T: Float>(out: &mut [T], a: &[T], b: &[T]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = a + b;
    }
}

vectorized! {
    /// Turns a step's gates into the gradients of the input's products, in place; writes the gradients of the state's products,
    /// and the part of the state's gradient that bypasses the gates.
    fn step_back[T: Float](
        kept: [&[T]; 2],
        dh: &[T],
        direct: &mut [T],
        arguments: [&mut [T]; 2],
        hidden: usize,
    ) {
        let ([before, from_state], [gates, state]) = (kept, arguments);
        let one = T::of(1.0);
        let rows = gates.chunks_exact_mut(3 * hidden).zip(state.chunks_exact_mut(3 * hidden));
        for (row, (gates, state)) in rows.enumerate() {
            let at = row * hidden..(row + 1) * hidden;
            let (before, from_state) = (&before[at.clone()], &from_state[at.clone()]);
            let (dh, direct) = (&dh[at.clone()], &mut direct[at]);
            let (reset, rest) = gates.split_at_mut(hidden);
            let (update, new) = rest.split_at_mut(hidden);
            let (update, new) = (&mut update[..hidden], &mut new[..hidden]);
            let (state_rz, state_n) = state.split_at_mut(2 * hidden);
            let state_n = &mut state_n[..hidden];
            // A loop for each few: one over all of them has too many slices to become vector code.
            for k in 0..hidden {
                direct[k] = dh[k] * update[k];
            }
            for k in 0..hidden {
                let (gate, candidate) = (update[k], new[k]);
                new[k] = dh[k] * (one - gate) * (one - candidate * candidate);
                update[k] = dh[k] * (before[k] - candidate) * gate * (one - gate);
            }
            for k in 0..hidden {
                let gate = reset[k];
                state_n[k] = new[k] * gate;
                reset[k] = new[k] * from_state[k] * gate * (one - gate);
            }
            state_rz[..hidden].copy_from_slice(reset);
            state_rz[hidden..].copy_from_slice(update);
        }
    }
}
