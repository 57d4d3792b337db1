//! Layer normalisation of the rows of (N, C): Ba et al. 2016, <https://arxiv.org/abs/1607.06450>.

use candle_core::{D, Result, Tensor};

use super::buffers::{FilledBuffers, filled_with_results};
use super::columns::FilledWithSums;
use super::storage::{Float, tensor, view};
use super::vectorized::vectorized;
use super::{GradOut, autograd, by_dtype, columns, cuda, is_fused};

/// The result of [`forward`]: its value, and the tensors that [`backward`] needs.
#[derive(Debug, Clone)]
pub struct LayerNormOutput {
    /// The value, (N, C).
    pub ys: Tensor,
    /// The input less its row's mean, over the row's standard deviation, (N, C).
    normalized: Option<Tensor>,
    /// One over the standard deviation of each row: here, or on a GPU.
    inverse: Vec<f64>,
    inverse_on_gpu: Option<Tensor>,
    eps: f64,
}

/// Normalises each row of xs (N, C) by its mean and biased variance, then scales by `w` and shifts by `b`.
pub fn forward(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<LayerNormOutput> {
    if is_fused(xs) {
        return by_dtype!(xs, T => fused_forward::<T>(xs, w, b, eps));
    }
    let mut output =
        LayerNormOutput { ys: xs.clone(), normalized: None, inverse: Vec::new(), inverse_on_gpu: None, eps };
    if cuda::runs_on(xs) {
        let [ys, normalized, inverse] = cuda::layer_norm::forward(xs, w, b, eps)?;
        (output.ys, output.normalized, output.inverse_on_gpu) = (ys, Some(normalized), Some(inverse));
    } else {
        output.ys = reference(xs, w, b, eps)?;
    }
    Ok(output)
}

/// The reference implementation, in tensor operations.
pub fn reference(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<Tensor> {
    let centered = xs.broadcast_sub(&xs.mean_keepdim(D::Minus1)?)?;
    let std = (centered.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    centered.broadcast_div(&std)?.broadcast_mul(w)?.broadcast_add(b)
}

fn fused_forward<T: Float>(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<LayerNormOutput> {
    let (n, channels) = xs.dims2()?;
    let (x, w, b) = (view::<T>(xs)?, view::<T>(w)?, view::<T>(b)?);
    let chunks = x.chunks(columns::chunk(channels)).map(|x| (x.len(), x));
    let FilledBuffers { buffers: [normalized, ys], results: inverse } =
        filled_with_results(chunks, |x, outputs| {
            let mut inverse = vec![0.0; x.len() / channels];
            normalize(x, [&w, &b], eps, outputs, &mut inverse);
            inverse
        });
    let normalized = Some(tensor(normalized, (n, channels))?);
    let ys = tensor(ys, (n, channels))?;
    Ok(LayerNormOutput { ys, normalized, inverse: inverse.concat(), inverse_on_gpu: None, eps })
}

vectorized! {
    fn normalize[T: Float](x: &[T], by: [&[T]; 2], eps: f64, outputs: [&mut [T]; 2], inverse: &mut [f64]) {
        let channels = by[0].len();
        let count = length(channels);
        let [w, b] = by.map(|values| &values[..channels]);
        let [normalized, ys] = outputs;
        let outputs = normalized.chunks_exact_mut(channels).zip(ys.chunks_exact_mut(channels));
        for ((row, (normal, out)), inverse) in x.chunks_exact(channels).zip(outputs).zip(inverse) {
            let mean = row.iter().map(|x| x.wide()).sum::<f64>() / count;
            let var = row.iter().map(|x| (x.wide() - mean) * (x.wide() - mean)).sum::<f64>() / count;
            *inverse = 1.0 / (var + eps).sqrt();
            let (mean, scale) = (T::of(mean), T::of(*inverse));
            for c in 0..channels {
                normal[c] = (row[c] - mean) * scale;
                out[c] = normal[c] * w[c] + b[c];
            }
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a count of channels")]
fn length(channels: usize) -> f64 {
    channels as f64
}

/// The gradients of [`forward`]: the scale's and the shift's go to their outputs, the input's is given back.
pub fn backward(
    xs: &Tensor,
    [w, b]: [&Tensor; 2],
    output: &LayerNormOutput,
    grad: &Tensor,
    [into_w, into_b]: [GradOut<'_>; 2],
) -> Result<Tensor> {
    let Some(normalized) = &output.normalized else {
        let grads = autograd::vjp(&[xs, w, b], grad, |t| reference(&t[0], &t[1], &t[2], output.eps))?;
        autograd::store(into_w, &grads[1])?;
        autograd::store(into_b, &grads[2])?;
        return Ok(grads[0].clone());
    };
    if let Some(inverse) = &output.inverse_on_gpu {
        return cuda::layer_norm::backward(w, normalized, inverse, grad, [into_w, into_b]);
    }
    by_dtype!(xs, T => fused_backward::<T>(w, normalized, &output.inverse, grad, [into_w, into_b]))
}

fn fused_backward<T: Float>(
    w: &Tensor,
    normalized: &Tensor,
    inverse: &[f64],
    grad: &Tensor,
    [into_w, into_b]: [GradOut<'_>; 2],
) -> Result<Tensor> {
    let (n, channels) = grad.dims2()?;
    let (g, normalized, w) = (view::<T>(grad)?, view::<T>(normalized)?, view::<T>(w)?);
    let chunk = columns::chunk(channels);
    let inputs = g.chunks(chunk).zip(normalized.chunks(chunk)).zip(inverse.chunks(chunk / channels));
    let chunks = inputs.map(|((g, normal), inverse)| (g.len(), ((g, normal), inverse)));
    // The sums for w are in front of those for b.
    let FilledWithSums { buffers: [dx], sums } =
        columns::filled_with_sums(chunks, 2 * channels, |((g, normal), inverse), [dx], sums| {
            gradients(dx, [g, normal, &w], inverse, sums);
        });
    for (out, values) in [(into_w, &sums[..channels]), (into_b, &sums[channels..])] {
        autograd::store(out, &tensor(values.iter().copied().map(T::of).collect(), channels)?)?;
    }
    tensor(dx, (n, channels))
}

vectorized! {
    /// dx = (g w - mean(g w) - normalized · mean(g w · normalized)) / std
    fn gradients[T: Float](dx: &mut [T], inputs: [&[T]; 3], inverse: &[f64], sums: &mut [f64]) {
        let (dw, db) = sums.split_at_mut(sums.len() / 2);
        let channels = db.len();
        let count = length(channels);
        let [g, normalized, w] = inputs;
        let (w, dw) = (&w[..channels], &mut dw[..channels]);
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
            for c in 0..channels {
                let centered = g[c].wide() * w[c].wide() - (sum + normal[c].wide() * along) / count;
                dx[c] = T::of(centered * inverse);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Accumulate;
    use super::*;
    use crate::kernels::draws::Draws;

    #[test]
    fn value_and_gradients_match_the_reference() {
        let draws = Draws::new(1);
        let random = |shape: &[usize]| draws.normal(shape, 1.0);
        let close = |a: &Tensor, b: &Tensor| {
            let off = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
            assert!(off < 1e-11, "{off}");
        };
        // One chunk of rows, and three.
        for n in [5, 2500] {
            let (xs, w, b, grad) = (random(&[n, 7]), random(&[7]), random(&[7]), random(&[n, 7]));
            let output = forward(&xs, &w, &b, 1e-5).unwrap();
            close(&output.ys, &reference(&xs, &w, &b, 1e-5).unwrap());
            let (dw, db) = (w.ones_like().unwrap(), b.ones_like().unwrap());
            let outs = [
                GradOut { buffer: &dw, accumulate: Accumulate::ADD },
                GradOut { buffer: &db, accumulate: Accumulate::REPLACE },
            ];
            let dx = backward(&xs, [&w, &b], &output, &grad, outs).unwrap();
            let expected =
                autograd::vjp(&[&xs, &w, &b], &grad, |t| reference(&t[0], &t[1], &t[2], 1e-5)).unwrap();
            close(&dx, &expected[0]);
            close(&(dw - 1.0).unwrap(), &expected[1]);
            close(&db, &expected[2]);
        }
    }
}
