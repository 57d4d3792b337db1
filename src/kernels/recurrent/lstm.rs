//! Long short-term memory: Hochreiter and Schmidhuber 1997, with the gates i, f, g, o in torch's order:
//! `c_t = f c_{t-1} + i g`, `h_t = o tanh(c_t)`.

use candle_core::{Result, Tensor};

use super::super::activation;
use super::super::gemm::{Matrix, matmul};
use super::super::linear::affine;
use super::super::storage::{Float, tensor, view};
use super::{Activation, Arguments, Cell, Output, Sizes, order};

/// The plain twin of a step, from its argument (N, 4 H) and the memory (N, H): state and memory.
pub(super) fn plain_step(z: &Tensor, c: &Tensor) -> Result<(Tensor, Tensor)> {
    let hidden = c.dim(1)?;
    let gate = |k: usize| z.narrow(1, k * hidden, hidden);
    let sigmoid = |k: usize| candle_nn::ops::sigmoid(&gate(k)?.contiguous()?);
    let c = ((sigmoid(1)? * c)? + (sigmoid(0)? * gate(2)?.tanh()?)?)?;
    Ok(((sigmoid(3)? * c.tanh()?)?, c))
}

/// Keeps the gates (T, N, 4 H) and the memories (T, N, H).
pub(super) fn forward<T: Float>(
    xs: &Tensor,
    [w_ih, w_hh, b_ih, b_hh]: Cell<&Tensor>,
    reverse: bool,
) -> Result<Output> {
    let ((steps, n, features), (width, hidden)) = (xs.dims3()?, w_hh.dims2()?);
    let (b_ih, b_hh) = (view::<T>(b_ih)?, view::<T>(b_hh)?);
    let bias: Vec<T> = b_ih.iter().zip(b_hh.iter()).map(|(&a, &b)| a + b).collect();
    let mut gates = affine(&view::<T>(xs)?, &view::<T>(w_ih)?, &bias, (steps * n, features, width))?;
    let w_hh = view::<T>(w_hh)?;
    let w_hh = Matrix::new(&w_hh, width, hidden).t();
    let size = n * hidden;
    let mut cs = vec![T::of(0.0); steps * size];
    let mut hs = cs.clone();
    for (t, previous) in order(steps, reverse) {
        let z = &mut gates[t * n * width..][..n * width];
        if let Some(previous) = previous {
            matmul(z, Matrix::new(&hs[previous * size..][..size], n, hidden), w_hh, true)?;
        }
        for row in 0..n {
            let gate = &mut z[row * width..][..width];
            activation::apply(Activation::Sigmoid, &mut gate[..2 * hidden]);
            activation::apply(Activation::Tanh, &mut gate[2 * hidden..3 * hidden]);
            activation::apply(Activation::Sigmoid, &mut gate[3 * hidden..]);
            for k in 0..hidden {
                let at = row * hidden + k;
                let before = previous.map_or(T::of(0.0), |p| cs[p * size + at]);
                cs[t * size + at] = gate[hidden + k] * before + gate[k] * gate[2 * hidden + k];
            }
        }
        let h = &mut hs[t * size..][..size];
        h.copy_from_slice(&cs[t * size..][..size]);
        activation::apply(Activation::Tanh, h);
        for (h, gate) in h.chunks_exact_mut(hidden).zip(z.chunks_exact(width)) {
            h.iter_mut().zip(&gate[3 * hidden..]).for_each(|(h, &o)| *h *= o);
        }
    }
    let saved = vec![tensor(gates, (steps, n, width))?, tensor(cs, (steps, n, hidden))?];
    Ok(Output { hs: tensor(hs, (steps, n, hidden))?, saved })
}

/// The gradients of the steps' arguments: `dh_t = grad_t + dz_{t+1} W_hh`, `dc_t = dh_t o (1 - tanh² c_t) + f_{t+1}
/// dc_{t+1}`, and of each gate by its slope.
pub(super) fn through_time<T: Float>(
    grad: &[T],
    saved: &[Tensor],
    w_hh: &[T],
    sizes: Sizes,
) -> Result<Arguments<T>> {
    let [gates, cs] = saved else { candle_core::bail!("an LSTM's backward needs its gates and memories") };
    let (gates, cs) = (view::<T>(gates)?, view::<T>(cs)?);
    let Sizes { steps, n, hidden, reverse } = sizes;
    let (size, width) = (sizes.state(), 4 * hidden);
    let one = T::of(1.0);
    let mut dz = vec![T::of(0.0); steps * n * width];
    let mut dc = vec![T::of(0.0); size];
    let mut dh = vec![T::of(0.0); size];
    let mut tanh = vec![T::of(0.0); size];
    let mut next: Option<usize> = None;
    for (t, previous) in order(steps, reverse).rev() {
        dh.copy_from_slice(&grad[t * size..][..size]);
        if let Some(next) = next {
            let later = Matrix::new(&dz[next * n * width..][..n * width], n, width);
            matmul(&mut dh, later, Matrix::new(w_hh, width, hidden), true)?;
        }
        tanh.copy_from_slice(&cs[t * size..][..size]);
        activation::apply(Activation::Tanh, &mut tanh);
        for row in 0..n {
            let place = (t * n + row) * width;
            let (gate, dz) = (&gates[place..][..width], &mut dz[place..][..width]);
            for k in 0..hidden {
                let at = row * hidden + k;
                let [i, f, g, o] = [0, 1, 2, 3].map(|which| gate[which * hidden + k]);
                let before = previous.map_or(T::of(0.0), |p| cs[p * size + at]);
                let tanh = tanh[at];
                let from_state = dc[at] + dh[at] * o * (one - tanh * tanh);
                dz[k] = from_state * g * i * (one - i);
                dz[hidden + k] = from_state * before * f * (one - f);
                dz[2 * hidden + k] = from_state * i * (one - g * g);
                dz[3 * hidden + k] = dh[at] * tanh * o * (one - o);
                dc[at] = from_state * f;
            }
        }
        next = Some(t);
    }
    Ok(Arguments { input: dz, state: None })
}
