//! Rows multiplied by learnt scales, one or several of them: `RealMLP`'s scale of the input columns, and the members of
//! `TabM` (Gorishniy et al. 2024, <https://arxiv.org/abs/2410.24210>), which differ by their scales.

use candle_core::{Result, Tensor};

use super::buffers::filled;
use super::columns::FilledWithSums;
use super::storage::{Float, tensor, view};
use super::vectorized::vectorized;
use super::{GradOut, autograd, by_dtype, columns, is_fused};

/// Multiplies each row of xs (N, F) by each of the scales w (K, F): (N · K, F), the K products of a row one after the other.
pub fn forward(xs: &Tensor, w: &Tensor) -> Result<Tensor> {
    if !is_fused(xs) {
        return reference(xs, w);
    }
    let ((n, features), members) = (xs.dims2()?, w.elem_count() / xs.dim(1)?.max(1));
    by_dtype!(xs, T => {
        let (x, w) = (view::<T>(xs)?, view::<T>(w)?);
        let chunks = x.chunks(columns::chunk(features)).map(|x| (x.len() * members, x));
        let [ys] = filled(chunks, |x, [ys]| multiply(x, &w, features, ys));
        tensor(ys, (n * members, features))
    })
}

/// The reference implementation.
pub fn reference(xs: &Tensor, w: &Tensor) -> Result<Tensor> {
    let (n, features) = xs.dims2()?;
    let w = w.reshape(((), features))?;
    xs.unsqueeze(1)?.broadcast_mul(&w.unsqueeze(0)?)?.reshape((n * w.dim(0)?, features))
}

vectorized! {
    fn multiply[T: Float](x: &[T], w: &[T], features: usize, ys: &mut [T]) {
        let members = w.len() / features;
        for (row, ys) in x.chunks_exact(features).zip(ys.chunks_exact_mut(members * features)) {
            for (w, ys) in w.chunks_exact(features).zip(ys.chunks_exact_mut(features)) {
                for at in 0..features {
                    ys[at] = row[at] * w[at];
                }
            }
        }
    }
}

/// The gradients of [`forward`]: the scales' goes to its output, the input's is given back.
pub fn backward(xs: &Tensor, w: &Tensor, grad: &Tensor, into_w: GradOut<'_>) -> Result<Tensor> {
    if !is_fused(xs) {
        let grads = autograd::vjp(&[xs, w], grad, |t| reference(&t[0], &t[1]))?;
        autograd::store(into_w, &grads[1])?;
        return Ok(grads[0].clone());
    }
    by_dtype!(xs, T => fused_backward::<T>(xs, w, grad, into_w))
}

fn fused_backward<T: Float>(xs: &Tensor, w: &Tensor, grad: &Tensor, into_w: GradOut<'_>) -> Result<Tensor> {
    let ((n, features), count) = (xs.dims2()?, w.elem_count());
    let (x, scales, g) = (view::<T>(xs)?, view::<T>(w)?, view::<T>(grad)?);
    let chunk = columns::chunk(features);
    let members = count / features.max(1);
    let chunks = x.chunks(chunk).zip(g.chunks(chunk * members)).map(|(x, g)| (x.len(), (x, g)));
    let FilledWithSums { buffers: [dx], sums } =
        columns::filled_with_sums(chunks, count, |(x, g), [dx], sums| {
            gradients(x, &scales, g, dx, sums);
        });
    let sums: Vec<T> = sums.into_iter().map(T::of).collect();
    autograd::store(into_w, &tensor(sums, w.shape())?)?;
    tensor(dx, (n, features))
}

vectorized! {
    fn gradients[T: Float](x: &[T], w: &[T], g: &[T], dx: &mut [T], sums: &mut [f64]) {
        let count = w.len();
        let features = dx.len() / (g.len() / count).max(1);
        let rows = x.chunks_exact(features).zip(dx.chunks_exact_mut(features)).zip(g.chunks_exact(count));
        for ((x, dx), g) in rows {
            let members = w.chunks_exact(features).zip(g.chunks_exact(features)).zip(sums.chunks_exact_mut(features));
            for ((w, g), sums) in members {
                for at in 0..features {
                    dx[at] += g[at] * w[at];
                    sums[at] += g[at].wide() * x[at].wide();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Accumulate;
    use crate::kernels::draws::Draws;

    #[test]
    fn value_and_gradients_match_the_reference() {
        let draws = Draws::new(1);
        for (n, features, members) in [(1, 1, 1), (7, 5, 1), (2000, 9, 3), (33, 130, 8)] {
            let (xs, w) = (draws.normal(&[n, features], 1.0), draws.normal(&[members, features], 1.0));
            let grad = draws.normal(&[n * members, features], 1.0);
            close(&forward(&xs, &w).unwrap(), &reference(&xs, &w).unwrap());
            let expected = autograd::vjp(&[&xs, &w], &grad, |t| reference(&t[0], &t[1])).unwrap();
            let dw = w.ones_like().unwrap();
            let out = GradOut { buffer: &dw, accumulate: Accumulate::ADD };
            close(&backward(&xs, &w, &grad, out).unwrap(), &expected[0]);
            close(&(dw - 1.0).unwrap(), &expected[1]);
        }
    }

    fn close(a: &Tensor, b: &Tensor) {
        assert_eq!(a.dims(), b.dims());
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < 1e-11, "{difference}");
    }
}
