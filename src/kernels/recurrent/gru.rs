//! The gated recurrent unit: Cho et al. 2014, with the gates r, z, n in torch's order and the reset behind the product:
//! `n = tanh(x W_in + b_in + r (h W_hn + b_hn))`, `h_t = (1 - z) n + z h_{t-1}`.

use candle_core::{Result, Tensor};

use super::super::activation;
use super::super::gemm::{Matrix, matmul};
use super::super::linear::affine;
use super::super::storage::{Float, tensor, view};
use super::{Activation, Arguments, Cell, Output, Sizes, order};

/// The plain twin of a step, from what input and state give (N, 3 H) and the state (N, H).
pub(super) fn plain_step(input: &Tensor, state: &Tensor, h: &Tensor) -> Result<Tensor> {
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
    [w_ih, w_hh, b_ih, b_hh]: Cell<&Tensor>,
    reverse: bool,
) -> Result<Output> {
    let ((steps, n, features), (width, hidden)) = (xs.dims3()?, w_hh.dims2()?);
    let mut gates =
        affine(&view::<T>(xs)?, &view::<T>(w_ih)?, &view::<T>(b_ih)?, (steps * n, features, width))?;
    let (w_hh, b_hh) = (view::<T>(w_hh)?, view::<T>(b_hh)?);
    let size = n * hidden;
    let start = vec![T::of(0.0); size];
    let mut hs = vec![T::of(0.0); steps * size];
    let mut from_state = hs.clone();
    for (t, previous) in order(steps, reverse) {
        let before = previous.map_or(&start[..], |p| &hs[p * size..][..size]);
        let state = affine(before, &w_hh, &b_hh, (n, hidden, width))?;
        let mut after = Vec::with_capacity(size);
        for row in 0..n {
            let gate = &mut gates[(t * n + row) * width..][..width];
            let state = &state[row * width..][..width];
            gate.iter_mut().zip(&state[..2 * hidden]).for_each(|(gate, &state)| *gate += state);
            activation::apply(Activation::Sigmoid, &mut gate[..2 * hidden]);
            for k in 0..hidden {
                gate[2 * hidden + k] += gate[k] * state[2 * hidden + k];
            }
            activation::apply(Activation::Tanh, &mut gate[2 * hidden..]);
            from_state[t * size + row * hidden..][..hidden].copy_from_slice(&state[2 * hidden..]);
            for k in 0..hidden {
                let (z, new) = (gate[hidden + k], gate[2 * hidden + k]);
                after.push(new + z * (before[row * hidden + k] - new));
            }
        }
        hs[t * size..][..size].copy_from_slice(&after);
    }
    let saved = vec![tensor(gates, (steps, n, width))?, tensor(from_state, (steps, n, hidden))?];
    Ok(Output { hs: tensor(hs, (steps, n, hidden))?, saved })
}

/// The gradients of the steps' arguments. What the state gives to n passes the reset gate, so that its gradient is not
/// that of what the input gives.
pub(super) fn through_time<T: Float>(
    grad: &[T],
    h: &[T],
    saved: &[Tensor],
    w_hh: &[T],
    sizes: Sizes,
) -> Result<Arguments<T>> {
    let [gates, from_state] = saved else { candle_core::bail!("a GRU's backward needs its gates") };
    let (gates, from_state) = (view::<T>(gates)?, view::<T>(from_state)?);
    let Sizes { steps, n, hidden, reverse } = sizes;
    let (size, width) = (sizes.state(), 3 * hidden);
    let one = T::of(1.0);
    let mut input = vec![T::of(0.0); steps * n * width];
    let mut state = input.clone();
    // What of the gradient of a state goes to the one before it directly.
    let mut direct = vec![T::of(0.0); size];
    let mut dh = vec![T::of(0.0); size];
    let mut next: Option<usize> = None;
    for (t, previous) in order(steps, reverse).rev() {
        for ((dh, &grad), &direct) in dh.iter_mut().zip(&grad[t * size..][..size]).zip(&direct) {
            *dh = grad + direct;
        }
        if let Some(next) = next {
            let later = Matrix::new(&state[next * n * width..][..n * width], n, width);
            matmul(&mut dh, later, Matrix::new(w_hh, width, hidden), true)?;
        }
        for row in 0..n {
            let place = (t * n + row) * width;
            let gate = &gates[place..][..width];
            let (input, state) = (&mut input[place..][..width], &mut state[place..][..width]);
            for k in 0..hidden {
                let at = row * hidden + k;
                let [r, z, new] = [0, 1, 2].map(|which| gate[which * hidden + k]);
                let before = previous.map_or(T::of(0.0), |p| h[p * size + at]);
                let dn = dh[at] * (one - z) * (one - new * new);
                let dr = dn * from_state[t * size + at] * r * (one - r);
                let dz = dh[at] * (before - new) * z * (one - z);
                (input[k], input[hidden + k], input[2 * hidden + k]) = (dr, dz, dn);
                (state[k], state[hidden + k], state[2 * hidden + k]) = (dr, dz, dn * r);
                direct[at] = dh[at] * z;
            }
        }
        next = Some(t);
    }
    Ok(Arguments { input, state: Some(state) })
}
