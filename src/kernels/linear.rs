//! `act(x Wᵀ + b)` as one operation, and its backward.

use candle_core::{Result, Tensor};

use super::activation::{self, multiply_slope, shift_and_apply};
use super::gemm::{Cut, Matrix, matmul, matmul_then};
use super::storage::{Float, edit, tensor, view};
use super::{Activation, Onto, Sink, autograd, by_dtype, columns, is_fused};

/// What [`forward`] gives: its value, and what [`backward`] needs of it.
#[derive(Debug, Clone)]
pub struct Output {
    /// The value, (N, out).
    pub ys: Tensor,
    /// The argument of an activation whose slope needs it, else the value.
    saved: Tensor,
}

/// `act(xs wᵀ + b)`: xs (N, in), w (out, in), b (out) to (N, out).
pub fn forward(xs: &Tensor, w: &Tensor, b: &Tensor, act: Option<Activation>) -> Result<Output> {
    if !is_fused(xs) {
        let zs = plain(xs, w, b)?;
        let ys = act.map_or(Ok(zs.clone()), |act| activation::forward(act, &zs))?;
        return Ok(Output { ys, saved: zs });
    }
    by_dtype!(xs, T => fused_forward::<T>(xs, w, b, act))
}

/// The plain twin: the product and the bias.
pub fn plain(xs: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    xs.matmul(&w.t()?)?.broadcast_add(b)
}

fn fused_forward<T: Float>(xs: &Tensor, w: &Tensor, b: &Tensor, act: Option<Activation>) -> Result<Output> {
    let ((n, inputs), outputs) = (xs.dims2()?, b.dims1()?);
    let (x, w, b) = (view::<T>(xs)?, view::<T>(w)?, view::<T>(b)?);
    let sizes = (n, inputs, outputs);
    match act {
        Some(act) if act.needs_input() => {
            let saved = tensor(affine(&x, &w, &b, sizes, None)?, (n, outputs))?;
            Ok(Output { ys: activation::forward(act, &saved)?, saved })
        }
        act => {
            let ys = tensor(affine(&x, &w, &b, sizes, act)?, (n, outputs))?;
            Ok(Output { saved: ys.clone(), ys })
        }
    }
}

/// `act(x wᵀ + b)` over slices: x (n, inputs), w (outputs, inputs).
pub(super) fn affine<T: Float>(
    x: &[T],
    w: &[T],
    b: &[T],
    (n, inputs, outputs): (usize, usize, usize),
    act: Option<Activation>,
) -> Result<Vec<T>> {
    let mut ys = vec![T::of(0.0); n * outputs];
    let (x, w) = (Matrix::new(x, n, inputs), Matrix::new(w, outputs, inputs).t());
    matmul_then(&mut ys, x, w, Onto::REPLACE, Cut::Cols, |start, part: &mut [T]| {
        shift_and_apply(act, part, &b[start..]);
    })?;
    Ok(ys)
}

/// The gradients of [`forward`]: the weight's and the bias's go to their sinks, the input's is given back where it is
/// wanted.
pub fn backward(
    xs: &Tensor,
    w: &Tensor,
    output: &Output,
    act: Option<Activation>,
    grad: &Tensor,
    [into_w, into_b]: [Sink<'_>; 2],
    want_input: bool,
) -> Result<Option<Tensor>> {
    if !is_fused(xs) {
        let grad =
            act.map_or(Ok(grad.clone()), |act| activation::backward(act, &output.saved, &output.ys, grad))?;
        // The weight's sink may be the weight itself: whoever reads it comes first.
        let dx = want_input.then(|| grad.matmul(w)).transpose()?;
        autograd::store(into_w, &grad.t()?.matmul(xs)?)?;
        autograd::store(into_b, &grad.sum(0)?)?;
        return Ok(dx);
    }
    by_dtype!(xs, T => {
        let g = view::<T>(grad)?;
        match act {
            None => fused_backward(xs, w, &g, [into_w, into_b], want_input),
            Some(act) => {
                let (x, y) = (view::<T>(&output.saved)?, view::<T>(&output.ys)?);
                fused_backward(xs, w, &multiply_slope(act, &x, &y, &g), [into_w, into_b], want_input)
            }
        }
    })
}

fn fused_backward<T: Float>(
    xs: &Tensor,
    w: &Tensor,
    grad: &[T],
    [into_w, into_b]: [Sink<'_>; 2],
    want_input: bool,
) -> Result<Option<Tensor>> {
    let ((n, inputs), (outputs, _)) = (xs.dims2()?, w.dims2()?);
    let g = Matrix::new(grad, n, outputs);
    let dx = want_input.then(|| {
        let mut dx = vec![T::of(0.0); n * inputs];
        let w = view::<T>(w)?;
        matmul(&mut dx, g, Matrix::new(&w, outputs, inputs), Onto::REPLACE, Cut::Rows)?;
        tensor(dx, (n, inputs))
    });
    // The weight's sink may be the weight itself: whoever reads it comes first.
    let dx = dx.transpose()?;
    let x = view::<T>(xs)?;
    edit(into_w.buffer, |dw| matmul(dw, g.t(), Matrix::new(&x, n, inputs), into_w.onto, Cut::Rows))??;
    edit(into_b.buffer, |db| sum_rows(db, grad, into_b.onto))?;
    Ok(dx)
}

/// The gradient of a bias that was added to every row.
pub(super) fn sum_rows<T: Float>(out: &mut [T], rows: &[T], onto: Onto) {
    let sums = columns::sums(rows, out.len());
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = T::of(onto.join(out.wide(), sum)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn value_and_gradients_are_the_plain_twins() {
        let random = |shape: &[usize]| Tensor::randn(0.0, 1.0, shape, &Device::Cpu).unwrap();
        for (n, inputs, outputs) in [(1, 5, 3), (7, 4, 1), (33, 130, 70)] {
            for act in [None, Some(Activation::Tanh), Some(Activation::Silu)] {
                let (xs, w, b) = (random(&[n, inputs]), random(&[outputs, inputs]), random(&[outputs]));
                let grad = random(&[n, outputs]);
                let whole = |t: &[Tensor]| {
                    let zs = plain(&t[0], &t[1], &t[2])?;
                    match act {
                        None => Ok(zs),
                        Some(Activation::Tanh) => zs.tanh(),
                        Some(_) => zs.silu(),
                    }
                };
                let output = forward(&xs, &w, &b, act).unwrap();
                close(&output.ys, &whole(&[xs.clone(), w.clone(), b.clone()]).unwrap());
                let expected = autograd::vjp(&[&xs, &w, &b], &grad, whole).unwrap();
                // The weight's buffer already holds ones, the bias's is to be replaced.
                let (dw, db) = (w.ones_like().unwrap(), b.ones_like().unwrap());
                let sink = |buffer, onto| Sink { buffer, onto };
                let sinks = [sink(&dw, Onto::ADD), sink(&db, Onto::REPLACE)];
                let dx = backward(&xs, &w, &output, act, &grad, sinks, true).unwrap().unwrap();
                close(&dx, &expected[0]);
                close(&(dw - 1.0).unwrap(), &expected[1]);
                close(&db, &expected[2]);
            }
        }
    }

    fn close(a: &Tensor, b: &Tensor) {
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap();
        let difference = difference.to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < 1e-11, "{difference}");
    }
}
