//! The Elman recurrence over a whole sequence as one operation, with its own back-propagation through time.
//!
//! Sequences are time-major here, (T, N, F), so that every step is one contiguous block: the input projection of all
//! steps is one product, only `h W_hhᵀ` runs step by step, and the weights' gradients are one product each.
//! Formula and names: <https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html>.

use candle_core::{Result, Tensor};

use super::activation::{multiply_slope, specialized};
use super::gemm::{Matrix, matmul};
use super::linear::{affine, sum_rows};
use super::storage::{Float, edit, tensor, view};
use super::{Activation, Sink, activation, autograd, by_dtype, is_fused};

/// The four parameters of one direction of one layer, or their gradients' sinks: `weight_ih` (H, F), `weight_hh`
/// (H, H), `bias_ih` (H), `bias_hh` (H).
pub type Cell<P> = [P; 4];

/// `h_t = act(x_t W_ihᵀ + b_ih + h_{t-1} W_hhᵀ + b_hh)` from h = 0: xs (T, N, F) to (T, N, H). In `reverse` it runs from
/// the last step to the first.
pub fn forward(xs: &Tensor, cell: Cell<&Tensor>, act: Activation, reverse: bool) -> Result<Tensor> {
    if !is_fused(xs) {
        return plain(xs, cell, act, reverse);
    }
    by_dtype!(xs, T => fused_forward::<T>(xs, cell, act, reverse))
}

/// The order in which the steps run: pairs of a step and the one before it.
fn order(steps: usize, reverse: bool) -> impl DoubleEndedIterator<Item = (usize, Option<usize>)> {
    (0..steps).map(move |i| {
        let at = |i: usize| if reverse { steps - 1 - i } else { i };
        (at(i), i.checked_sub(1).map(at))
    })
}

/// The plain twin.
fn plain(
    xs: &Tensor,
    [w_ih, w_hh, b_ih, b_hh]: Cell<&Tensor>,
    act: Activation,
    reverse: bool,
) -> Result<Tensor> {
    let steps = xs.dim(0)?;
    let mut hs = vec![None; steps];
    for (t, previous) in order(steps, reverse) {
        let mut z = xs.get(t)?.contiguous()?.matmul(&w_ih.t()?)?.broadcast_add(b_ih)?.broadcast_add(b_hh)?;
        if let Some(Some(h)) = previous.map(|p| &hs[p]) {
            let h: &Tensor = h;
            z = (z + h.matmul(&w_hh.t()?)?)?;
        }
        let h = match act {
            Activation::Tanh => z.tanh()?,
            Activation::Relu => z.relu()?,
            other => activation::forward(other, &z)?,
        };
        hs[t] = Some(h);
    }
    Tensor::stack(&hs.into_iter().flatten().collect::<Vec<_>>(), 0)
}

/// The block of step `t`, and the block of the step before it.
fn blocks<T>(all: &mut [T], size: usize, t: usize, other: usize) -> (&mut [T], &[T]) {
    if other < t {
        let (left, right) = all.split_at_mut(t * size);
        (&mut right[..size], &left[other * size..][..size])
    } else {
        let (left, right) = all.split_at_mut(other * size);
        (&mut left[t * size..][..size], &right[..size])
    }
}

fn fused_forward<T: Float>(
    xs: &Tensor,
    [w_ih, w_hh, b_ih, b_hh]: Cell<&Tensor>,
    act: Activation,
    reverse: bool,
) -> Result<Tensor> {
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
        let h = &mut hs[t * n * hidden..][..n * hidden];
        specialized!(act, act => pulp::Arch::new().dispatch(|| h.iter_mut().for_each(|h| *h = act.value(*h))));
    }
    tensor(hs, (steps, n, hidden))
}

/// A forward pass that [`backward`] goes back through.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    /// The input, (T, N, F).
    pub xs: &'a Tensor,
    /// The value, (T, N, H).
    pub hs: &'a Tensor,
    /// The activation.
    pub act: Activation,
    /// Whether it ran from the last step to the first.
    pub reverse: bool,
}

/// The gradients of [`forward`] from the gradient of its value: the parameters' go to their sinks, the
/// input's is given back where it is wanted.
pub fn backward(
    pass: Pass<'_>,
    cell: Cell<&Tensor>,
    grad: &Tensor,
    sinks: Cell<Sink<'_>>,
    want_input: bool,
) -> Result<Option<Tensor>> {
    if is_fused(pass.xs) {
        return by_dtype!(pass.xs, T => fused_backward::<T>(pass, cell, grad, sinks, want_input));
    }
    let [w_ih, w_hh, b_ih, b_hh] = cell;
    let grads = autograd::vjp(&[pass.xs, w_ih, w_hh, b_ih, b_hh], grad, |t| {
        plain(&t[0], [&t[1], &t[2], &t[3], &t[4]], pass.act, pass.reverse)
    })?;
    for (sink, grad) in sinks.into_iter().zip(&grads[1..]) {
        autograd::store(sink, grad)?;
    }
    Ok(want_input.then(|| grads[0].clone()))
}

fn fused_backward<T: Float>(
    Pass { xs, hs, act, reverse }: Pass<'_>,
    [w_ih, w_hh, _, _]: Cell<&Tensor>,
    grad: &Tensor,
    [into_w_ih, into_w_hh, into_b_ih, into_b_hh]: Cell<Sink<'_>>,
    want_input: bool,
) -> Result<Option<Tensor>> {
    let ((steps, n, features), hidden) = (xs.dims3()?, w_ih.dim(0)?);
    let (size, rows) = (n * hidden, steps * n);
    let (x, h) = (view::<T>(xs)?, view::<T>(hs)?);
    let dz = through_time(&view::<T>(grad)?, &h, &view::<T>(w_hh)?, act, (steps, n, hidden), reverse)?;
    edit(into_w_ih.buffer, |dw| {
        matmul(dw, Matrix::new(&dz, rows, hidden).t(), Matrix::new(&x, rows, features), into_w_ih.accumulate)
    })??;
    // Each step's gradient meets the state of the step before it.
    let later = if reverse { &dz[..rows * hidden - size] } else { &dz[size..] };
    let earlier = if reverse { &h[size..] } else { &h[..rows * hidden - size] };
    edit(into_w_hh.buffer, |dw| {
        let (later, earlier) = (Matrix::new(later, rows - n, hidden), Matrix::new(earlier, rows - n, hidden));
        matmul(dw, later.t(), earlier, into_w_hh.accumulate)
    })??;
    for sink in [into_b_ih, into_b_hh] {
        edit(sink.buffer, |db| sum_rows(db, &dz, sink.accumulate))?;
    }
    if !want_input {
        return Ok(None);
    }
    let mut dx = vec![T::of(0.0); rows * features];
    let w_ih = view::<T>(w_ih)?;
    matmul(&mut dx, Matrix::new(&dz, rows, hidden), Matrix::new(&w_ih, hidden, features), false)?;
    tensor(dx, (steps, n, features)).map(Some)
}

/// The gradients of the steps' arguments: `dz_t = act'(h_t) · (grad_t + dz_{t+1} W_hh)`.
fn through_time<T: Float>(
    grad: &[T],
    h: &[T],
    w_hh: &[T],
    act: Activation,
    (steps, n, hidden): (usize, usize, usize),
    reverse: bool,
) -> Result<Vec<T>> {
    let size = n * hidden;
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
    Ok(dz)
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
    use candle_core::Device;

    #[test]
    fn value_and_gradients_are_the_plain_twins() {
        let random = |shape: &[usize]| Tensor::randn(0.0, 0.7, shape, &Device::Cpu).unwrap();
        for (steps, n, features, hidden) in [(1, 2, 3, 4), (5, 1, 2, 3), (6, 4, 3, 5)] {
            for (act, reverse) in
                [(Activation::Tanh, false), (Activation::Tanh, true), (Activation::Relu, false)]
            {
                let xs = random(&[steps, n, features]);
                let cell = [
                    random(&[hidden, features]),
                    random(&[hidden, hidden]),
                    random(&[hidden]),
                    random(&[hidden]),
                ];
                let refs = || [&cell[0], &cell[1], &cell[2], &cell[3]];
                let grad = random(&[steps, n, hidden]);
                let hs = forward(&xs, refs(), act, reverse).unwrap();
                close(&hs, &plain(&xs, refs(), act, reverse).unwrap());
                let expected = autograd::vjp(&[&xs, &cell[0], &cell[1], &cell[2], &cell[3]], &grad, |t| {
                    plain(&t[0], [&t[1], &t[2], &t[3], &t[4]], act, reverse)
                })
                .unwrap();
                let buffers = cell.each_ref().map(|p| p.ones_like().unwrap());
                let sinks = buffers.each_ref().map(|buffer| Sink { buffer, accumulate: true });
                let dx = backward(Pass { xs: &xs, hs: &hs, act, reverse }, refs(), &grad, sinks, true)
                    .unwrap()
                    .unwrap();
                close(&dx, &expected[0]);
                for (buffer, expected) in buffers.iter().zip(&expected[1..]) {
                    close(&(buffer - 1.0).unwrap(), expected);
                }
            }
        }
    }

    #[test]
    fn two_thousand_steps_cost_no_stack() {
        let ones = |shape: &[usize]| Tensor::full(0.01, shape, &Device::Cpu).unwrap();
        let (xs, cell) = (ones(&[2000, 1, 2]), [ones(&[3, 2]), ones(&[3, 3]), ones(&[3]), ones(&[3])]);
        let refs = cell.each_ref();
        let hs = forward(&xs, refs, Activation::Tanh, false).unwrap();
        let pass = Pass { xs: &xs, hs: &hs, act: Activation::Tanh, reverse: false };
        let buffers = cell.each_ref().map(|p| p.ones_like().unwrap());
        let sinks = buffers.each_ref().map(|buffer| Sink { buffer, accumulate: false });
        let dx = backward(pass, refs, &hs, sinks, true).unwrap();
        assert_eq!(dx.unwrap().dims(), [2000, 1, 2]);
    }

    fn close(a: &Tensor, b: &Tensor) {
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < 1e-11, "{difference}");
    }
}
