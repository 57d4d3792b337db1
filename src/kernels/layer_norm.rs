//! Layer normalisation of the rows of (N, C): Ba et al. 2016, <https://arxiv.org/abs/1607.06450>.

use candle_core::{D, Result, Tensor};

use super::storage::{Float, tensor, view};
use super::{Sink, autograd, by_dtype, is_fused};

/// What [`forward`] gives: its value, and what [`backward`] needs.
#[derive(Debug, Clone)]
pub struct Output {
    /// The value, (N, C).
    pub ys: Tensor,
    /// The input less its row's mean, over the row's standard deviation, (N, C).
    normalized: Option<Tensor>,
    /// One over the standard deviation of each row.
    inverse: Vec<f64>,
    eps: f64,
}

/// Normalises each row of xs (N, C) by its mean and biased variance, then scales by `w` and shifts by `b`.
pub fn forward(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<Output> {
    if is_fused(xs) {
        return by_dtype!(xs, T => fused_forward::<T>(xs, w, b, eps));
    }
    Ok(Output { ys: plain(xs, w, b, eps)?, normalized: None, inverse: Vec::new(), eps })
}

/// The plain twin.
fn plain(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<Tensor> {
    let centered = xs.broadcast_sub(&xs.mean_keepdim(D::Minus1)?)?;
    let std = (centered.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    centered.broadcast_div(&std)?.broadcast_mul(w)?.broadcast_add(b)
}

#[allow(clippy::cast_precision_loss, reason = "a count of channels")]
fn fused_forward<T: Float>(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<Output> {
    let (n, channels) = xs.dims2()?;
    let (x, w, b) = (view::<T>(xs)?, view::<T>(w)?, view::<T>(b)?);
    let count = channels as f64;
    let mut normalized = vec![T::of(0.0); n * channels];
    let mut ys = vec![T::of(0.0); n * channels];
    let mut inverse = Vec::with_capacity(n);
    pulp::Arch::new().dispatch(|| {
        let rows = x.chunks_exact(channels).zip(normalized.chunks_exact_mut(channels));
        for ((row, normal), out) in rows.zip(ys.chunks_exact_mut(channels)) {
            let mean = row.iter().map(|x| x.wide()).sum::<f64>() / count;
            let var = row.iter().map(|x| (x.wide() - mean) * (x.wide() - mean)).sum::<f64>() / count;
            let scale = 1.0 / (var + eps).sqrt();
            inverse.push(scale);
            let (mean, scale) = (T::of(mean), T::of(scale));
            for c in 0..channels {
                normal[c] = (row[c] - mean) * scale;
                out[c] = normal[c] * w[c] + b[c];
            }
        }
    });
    let normalized = Some(tensor(normalized, (n, channels))?);
    Ok(Output { ys: tensor(ys, (n, channels))?, normalized, inverse, eps })
}

/// The gradients of [`forward`]: the scale's and the shift's go to their sinks, the input's is given back.
pub fn backward(
    xs: &Tensor,
    [w, b]: [&Tensor; 2],
    output: &Output,
    grad: &Tensor,
    [into_w, into_b]: [Sink<'_>; 2],
) -> Result<Tensor> {
    let Some(normalized) = &output.normalized else {
        let grads = autograd::vjp(&[xs, w, b], grad, |t| plain(&t[0], &t[1], &t[2], output.eps))?;
        autograd::store(into_w, &grads[1])?;
        autograd::store(into_b, &grads[2])?;
        return Ok(grads[0].clone());
    };
    by_dtype!(xs, T => fused_backward::<T>(w, (normalized, &output.inverse), grad, [into_w, into_b]))
}

#[allow(clippy::cast_precision_loss, reason = "a count of channels")]
fn fused_backward<T: Float>(
    w: &Tensor,
    (normalized, inverse): (&Tensor, &[f64]),
    grad: &Tensor,
    [into_w, into_b]: [Sink<'_>; 2],
) -> Result<Tensor> {
    let (n, channels) = grad.dims2()?;
    let (g, normalized, w) = (view::<T>(grad)?, view::<T>(normalized)?, view::<T>(w)?);
    let count = channels as f64;
    let (mut dw, mut db) = (vec![0.0; channels], vec![0.0; channels]);
    let mut dx = vec![T::of(0.0); n * channels];
    pulp::Arch::new().dispatch(|| {
        let rows = g.chunks_exact(channels).zip(normalized.chunks_exact(channels));
        for (((g, normal), dx), inverse) in rows.zip(dx.chunks_exact_mut(channels)).zip(inverse) {
            let (mut sum, mut along) = (0.0, 0.0);
            for c in 0..channels {
                let (g, normal) = (g[c].wide(), normal[c].wide());
                db[c] += g;
                dw[c] += g * normal;
                sum += g * w[c].wide();
                along += g * w[c].wide() * normal;
            }
            // dx = (g w - mean(g w) - normalized · mean(g w · normalized)) / std
            for c in 0..channels {
                let centered = g[c].wide() * w[c].wide() - (sum + normal[c].wide() * along) / count;
                dx[c] = T::of(centered * inverse);
            }
        }
    });
    for (sink, values) in [(into_w, dw), (into_b, db)] {
        autograd::store(sink, &tensor(values.into_iter().map(T::of).collect(), channels)?)?;
    }
    tensor(dx, (n, channels))
}

#[cfg(test)]
mod tests {
    use super::super::Onto;
    use super::*;
    use candle_core::Device;

    #[test]
    fn value_and_gradients_are_the_plain_twins() {
        let random = |shape: &[usize]| Tensor::randn(0.0, 1.0, shape, &Device::Cpu).unwrap();
        let close = |a: &Tensor, b: &Tensor| {
            let off = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
            assert!(off < 1e-11, "{off}");
        };
        let (xs, w, b, grad) = (random(&[5, 7]), random(&[7]), random(&[7]), random(&[5, 7]));
        let output = forward(&xs, &w, &b, 1e-5).unwrap();
        close(&output.ys, &plain(&xs, &w, &b, 1e-5).unwrap());
        let (dw, db) = (w.ones_like().unwrap(), b.ones_like().unwrap());
        let sinks = [Sink { buffer: &dw, onto: Onto::ADD }, Sink { buffer: &db, onto: Onto::REPLACE }];
        let dx = backward(&xs, [&w, &b], &output, &grad, sinks).unwrap();
        let expected = autograd::vjp(&[&xs, &w, &b], &grad, |t| plain(&t[0], &t[1], &t[2], 1e-5)).unwrap();
        close(&dx, &expected[0]);
        close(&(dw - 1.0).unwrap(), &expected[1]);
        close(&db, &expected[2]);
    }
}
