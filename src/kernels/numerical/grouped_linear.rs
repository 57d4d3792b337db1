//! A linear layer for each of several features: `delu.nn.NLinear` of rtdl's embeddings.

use candle_core::{Result, Tensor};

use crate::kernels::buffers::filled;
use crate::kernels::storage::{Float, edit, tensor, view};
use crate::kernels::vectorized::vectorized;
use crate::kernels::{GradOut, autograd, by_dtype, is_fused, team};

/// The components of each feature zs (N, F, J) times its matrix of w (F, J, D), with its bias of b (F, D) where there is one:
/// (N, F · D).
pub fn forward(zs: &Tensor, w: &Tensor, b: Option<&Tensor>) -> Result<Tensor> {
    if !is_fused(zs) {
        return reference(zs, w, b);
    }
    let (n, features, components) = zs.dims3()?;
    let width = w.dim(2)?;
    by_dtype!(zs, T => {
        let (z, w) = (view::<T>(zs)?, view::<T>(w)?);
        let b = b.map(view::<T>).transpose()?;
        let rows = rows_at_a_time(features * components * width);
        let chunks = z.chunks(rows * features * components).map(|z| (z.len() / components * width, z));
        let [ys] = filled(chunks, |z, [ys]: [&mut [T]; 1]| {
            if let Some(b) = &b {
                ys.chunks_exact_mut(features * width).for_each(|row| row.copy_from_slice(b));
            }
            multiply(z, &w, [features, components, width], ys);
        });
        tensor(ys, (n, features * width))
    })
}

/// The reference implementation.
pub fn reference(zs: &Tensor, w: &Tensor, b: Option<&Tensor>) -> Result<Tensor> {
    let (n, features, _) = zs.dims3()?;
    let products = zs.transpose(0, 1)?.contiguous()?.matmul(w)?.transpose(0, 1)?;
    let products = products.reshape((n, features * w.dim(2)?))?;
    match b {
        Some(b) => products.broadcast_add(&b.flatten_all()?),
        None => Ok(products),
    }
}

/// The rows that one thread takes at a time, where each costs so many products.
fn rows_at_a_time(products: usize) -> usize {
    const PRODUCTS: usize = 1 << 16;
    (PRODUCTS / products.max(1)).max(1)
}

vectorized! {
    fn multiply[T: Float](z: &[T], w: &[T], sizes: [usize; 3], ys: &mut [T]) {
        let [features, components, width] = sizes;
        let rows = z.chunks_exact(features * components).zip(ys.chunks_exact_mut(features * width));
        for (z, ys) in rows {
            let each = z.chunks_exact(components).zip(w.chunks_exact(components * width));
            for ((z, w), ys) in each.zip(ys.chunks_exact_mut(width)) {
                for (z, w) in z.iter().zip(w.chunks_exact(width)) {
                    for at in 0..width {
                        ys[at] += *z * w[at];
                    }
                }
            }
        }
    }
}

/// The gradients of [`forward`]: those of w and b go to their outputs, that of zs is given back.
pub fn backward(
    zs: &Tensor,
    w: &Tensor,
    grad: &Tensor,
    into_w: GradOut<'_>,
    into_b: Option<GradOut<'_>>,
) -> Result<Tensor> {
    backward_of_weights(zs, w, grad, into_w, into_b)?;
    backward_of_inputs(w, grad)
}

/// The gradient of zs alone, (N, F, B).
pub fn backward_of_inputs(w: &Tensor, grad: &Tensor) -> Result<Tensor> {
    if !is_fused(grad) {
        let grad = by_feature(grad, w)?;
        return grad.matmul(&w.transpose(1, 2)?.contiguous()?)?.transpose(0, 1)?.contiguous();
    }
    by_dtype!(grad, T => fused_backward_of_inputs::<T>(w, grad))
}

/// The gradients of w and b alone.
pub fn backward_of_weights(
    zs: &Tensor,
    w: &Tensor,
    grad: &Tensor,
    into_w: GradOut<'_>,
    into_b: Option<GradOut<'_>>,
) -> Result<()> {
    if let Some(into_b) = into_b {
        let sums = grad.sum(0)?.reshape(into_b.buffer.shape())?;
        autograd::store(into_b, &sums)?;
    }
    if !is_fused(zs) {
        let zs = zs.transpose(0, 1)?.contiguous()?;
        let products = zs.transpose(1, 2)?.contiguous()?.matmul(&by_feature(grad, w)?)?;
        let products = products.reshape(into_w.buffer.shape())?;
        return autograd::store(into_w, &products);
    }
    by_dtype!(zs, T => fused_backward_of_weights::<T>(zs, w, grad, into_w))
}

/// The gradient (N, F · D) as (F, N, D).
fn by_feature(grad: &Tensor, w: &Tensor) -> Result<Tensor> {
    let (features, width) = (w.dim(0)?, w.dim(2)?);
    grad.reshape(((), features, width))?.transpose(0, 1)?.contiguous()
}

fn fused_backward_of_inputs<T: Float>(w: &Tensor, grad: &Tensor) -> Result<Tensor> {
    let (features, components, width) = w.dims3()?;
    let (own, g) = (view::<T>(w)?, view::<T>(grad)?);
    let n = g.len() / (features * width).max(1);
    let rows = rows_at_a_time(features * components * width);
    let chunks = g.chunks(rows * features * width).map(|g| (g.len() / width * components, g));
    let [dz] = filled(chunks, |g, [dz]| back(g, &own, [features, components, width], dz));
    tensor(dz, (n, features, components))
}

fn fused_backward_of_weights<T: Float>(
    zs: &Tensor,
    w: &Tensor,
    grad: &Tensor,
    into_w: GradOut<'_>,
) -> Result<()> {
    let (features, components, width) = w.dims3()?;
    let (z, g) = (view::<T>(zs)?, view::<T>(grad)?);
    // A feature at a time, over all rows in their order.
    let accumulate = into_w.accumulate;
    edit(into_w.buffer, |dw: &mut [T]| {
        let pieces = dw.chunks_mut(components * width).enumerate();
        team::for_each(pieces.collect(), |(feature, dw)| {
            let mut sums = vec![T::of(0.0); dw.len()];
            add_products(&z, &g, [features, components, width, feature], &mut sums);
            for (dw, sum) in dw.iter_mut().zip(sums) {
                *dw = T::of(accumulate.apply(dw.wide(), sum.wide()));
            }
        });
    })
}

vectorized! {
    fn back[T: Float](g: &[T], w: &[T], sizes: [usize; 3], dz: &mut [T]) {
        let [features, components, width] = sizes;
        let rows = dz.chunks_exact_mut(features * components).zip(g.chunks_exact(features * width));
        for (dz, g) in rows {
            let each = dz.chunks_exact_mut(components).zip(w.chunks_exact(components * width));
            for ((dz, w), g) in each.zip(g.chunks_exact(width)) {
                for (dz, w) in dz.iter_mut().zip(w.chunks_exact(width)) {
                    let mut sum = T::of(0.0);
                    for at in 0..width {
                        sum += g[at] * w[at];
                    }
                    *dz = sum;
                }
            }
        }
    }
}

vectorized! {
    fn add_products[T: Float](z: &[T], g: &[T], sizes: [usize; 4], sums: &mut [T]) {
        let [features, components, width, feature] = sizes;
        let rows = z.chunks_exact(features * components).zip(g.chunks_exact(features * width));
        for (z, g) in rows {
            let (z, g) = (&z[feature * components..][..components], &g[feature * width..][..width]);
            for (z, sums) in z.iter().zip(sums.chunks_exact_mut(width)) {
                for at in 0..width {
                    sums[at] += *z * g[at];
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
        for (n, features, components, width) in [(1, 1, 1, 1), (7, 3, 4, 2), (300, 5, 16, 3), (65, 2, 48, 24)]
        {
            let zs = draws.normal(&[n, features, components], 1.0);
            let w = draws.normal(&[features, components, width], 1.0);
            let b = draws.normal(&[features, width], 1.0);
            let grad = draws.normal(&[n, features * width], 1.0);
            close(&forward(&zs, &w, Some(&b)).unwrap(), &reference(&zs, &w, Some(&b)).unwrap());
            close(&forward(&zs, &w, None).unwrap(), &reference(&zs, &w, None).unwrap());
            let whole = |t: &[Tensor]| reference(&t[0], &t[1], Some(&t[2]));
            let expected = autograd::vjp(&[&zs, &w, &b], &grad, whole).unwrap();
            let (dw, db) = (w.ones_like().unwrap(), b.ones_like().unwrap());
            let into_w = GradOut { buffer: &dw, accumulate: Accumulate::ADD };
            let into_b = GradOut { buffer: &db, accumulate: Accumulate::REPLACE };
            close(&backward(&zs, &w, &grad, into_w, Some(into_b)).unwrap(), &expected[0]);
            close(&(dw - 1.0).unwrap(), &expected[1]);
            close(&db, &expected[2]);
        }
    }

    fn close(a: &Tensor, b: &Tensor) {
        assert_eq!(a.dims(), b.dims());
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < 1e-11, "{difference}");
    }
}
