//! Batch normalisation over the rows of (N, C): Ioffe and Szegedy 2015, <https://arxiv.org/abs/1502.03167>.

use candle_core::{D, Result, Tensor, Var};

use super::storage::{Float, edit, tensor, view};
use super::vectorized::vectorized;
use super::{GradOut, autograd, by_dtype, columns, cuda, is_fused, ranks, team};
use crate::distributed::Communicator;

/// What [`forward`] gives: its value, the batch's statistics, and what [`backward`] needs.
#[derive(Debug, Clone)]
pub struct Output {
    /// The value, (N, C).
    pub ys: Tensor,
    /// The mean of each channel, (C).
    pub mean: Tensor,
    /// The biased variance of each channel, (C).
    pub var: Tensor,
    /// The input less its mean, over its standard deviation, (N, C).
    normalized: Tensor,
    /// The rows of the batch, on all ranks.
    pub rows: f64,
    eps: f64,
}

/// Normalises each channel of xs (N, C) by the batch's mean and biased variance, then scales by `w` and shifts by `b`.
/// The batch is the rows of all ranks.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
pub fn forward(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64, all: &dyn Communicator) -> Result<Output> {
    if is_fused(xs) {
        return by_dtype!(xs, T => fused_forward::<T>(xs, w, b, eps, all));
    }
    if all.size() > 1 {
        candle_core::bail!("batch norm over several ranks runs in f32 or f64 on CPUs alone");
    }
    let rows = xs.dims()[0] as f64;
    if cuda::runs_on(xs) {
        let [ys, normalized, mean, var] = cuda::batch_norm::forward(xs, w, b, eps)?;
        return Ok(Output { ys, mean, var, normalized, rows, eps });
    }
    let mean = xs.mean(0)?;
    let centered = xs.broadcast_sub(&mean)?;
    let var = centered.sqr()?.mean(0)?;
    let normalized = centered.broadcast_div(&(&var + eps)?.sqrt()?)?;
    let ys = normalized.broadcast_mul(w)?.broadcast_add(b)?;
    Ok(Output { ys, mean, var, normalized, rows, eps })
}

/// The reference implementation, in tensor operations.
pub fn reference(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<Tensor> {
    let centered = xs.broadcast_sub(&xs.mean(0)?)?;
    let std = (centered.sqr()?.mean(0)? + eps)?.sqrt()?;
    centered.broadcast_div(&std)?.broadcast_mul(w)?.broadcast_add(b)
}

#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn fused_forward<T: Float>(
    xs: &Tensor,
    w: &Tensor,
    b: &Tensor,
    eps: f64,
    all: &dyn Communicator,
) -> Result<Output> {
    let (n, channels) = xs.dims2()?;
    let (x, w, b) = (view::<T>(xs)?, view::<T>(w)?, view::<T>(b)?);
    let chunk = columns::chunk(channels);
    let mut sums = columns::sums(&x, channels);
    sums.push(n as f64);
    ranks::sum_numbers(&mut sums, all)?;
    let rows = sums.pop().unwrap_or_default();
    let mean = mean(sums, rows);
    let mut squares =
        columns::sums_of(x.chunks(chunk).collect(), channels, |x, sums| add_squares(sums, x, &mean));
    ranks::sum_numbers(&mut squares, all)?;
    let var = self::mean(squares, rows);
    let center: Vec<T> = mean.iter().map(|&m| T::of(m)).collect();
    let inverse: Vec<T> = var.iter().map(|v| T::of(1.0 / (v + eps).sqrt())).collect();
    let mut normalized = vec![T::of(0.0); n * channels];
    let mut ys = vec![T::of(0.0); n * channels];
    let outputs = normalized.chunks_mut(chunk).zip(ys.chunks_mut(chunk));
    team::for_each(x.chunks(chunk).zip(outputs).collect(), |(x, (normalized, ys))| {
        normalize(x, [&center, &inverse, &w, &b], normalized, ys);
    });
    Ok(Output {
        ys: tensor(ys, (n, channels))?,
        mean: tensor(mean.into_iter().map(T::of).collect(), channels)?,
        var: tensor(var.into_iter().map(T::of).collect(), channels)?,
        normalized: tensor(normalized, (n, channels))?,
        rows,
        eps,
    })
}

/// The sums over rows, divided by their number.
fn mean(mut sums: Vec<f64>, rows: f64) -> Vec<f64> {
    for sum in &mut sums {
        *sum /= rows;
    }
    sums
}

vectorized! {
    fn add_squares[T: Float](sums: &mut [f64], x: &[T], mean: &[f64]) {
        let mean = &mean[..sums.len()];
        for row in x.chunks_exact(sums.len()) {
            for ((sum, m), x) in sums.iter_mut().zip(mean).zip(row) {
                let centered = x.wide() - m;
                *sum += centered * centered;
            }
        }
    }
}

vectorized! {
    /// Normalises rows by centre and inverse standard deviation of each channel, then scales and shifts.
    fn normalize[T: Float](x: &[T], by: [&[T]; 4], normalized: &mut [T], ys: &mut [T]) {
        let channels = by[0].len();
        let [center, inverse, w, b] = by.map(|values| &values[..channels]);
        let outputs = normalized.chunks_exact_mut(channels).zip(ys.chunks_exact_mut(channels));
        for (row, (normal, out)) in x.chunks_exact(channels).zip(outputs) {
            for c in 0..channels {
                normal[c] = (row[c] - center[c]) * inverse[c];
                out[c] = normal[c] * w[c] + b[c];
            }
        }
    }
}

/// The gradients of [`forward`]: the scale's and the shift's go to their outputs, the input's is given back.
pub fn backward(
    xs: &Tensor,
    w: &Tensor,
    b: &Tensor,
    output: &Output,
    grad: &Tensor,
    [into_w, into_b]: [GradOut<'_>; 2],
    all: &dyn Communicator,
) -> Result<Tensor> {
    if cuda::runs_on(xs) {
        let Output { normalized, var, eps, .. } = output;
        return cuda::batch_norm::backward(w, normalized, var, *eps, grad, [into_w, into_b]);
    }
    if !is_fused(xs) {
        let grads = autograd::vjp(&[xs, w, b], grad, |t| reference(&t[0], &t[1], &t[2], output.eps))?;
        autograd::store(into_w, &grads[1])?;
        autograd::store(into_b, &grads[2])?;
        return Ok(grads[0].clone());
    }
    by_dtype!(xs, T => fused_backward::<T>(w, output, grad, [into_w, into_b], all))
}

fn fused_backward<T: Float>(
    w: &Tensor,
    output: &Output,
    grad: &Tensor,
    [into_w, into_b]: [GradOut<'_>; 2],
    all: &dyn Communicator,
) -> Result<Tensor> {
    let (n, channels) = grad.dims2()?;
    let (g, normalized) = (view::<T>(grad)?, view::<T>(&output.normalized)?);
    let var = view::<T>(&output.var)?;
    let chunk = columns::chunk(channels);
    // The gradient of a bias in front of this layer is zero but for the rounding here, and Adam makes steps of what
    // rounding leaves: so all of it runs in f64.
    let db = columns::sums(&g, channels);
    let pairs = g.chunks(chunk).zip(normalized.chunks(chunk)).collect();
    let dw = columns::sums_of(pairs, channels, |(g, normal), sums| add_products(sums, g, normal));
    // dx = w / std · (g - mean(g) - normalized · mean(g · normalized))
    let inverse = var.iter().map(|var| 1.0 / (var.wide() + output.eps).sqrt());
    let scale: Vec<f64> = view::<T>(w)?.iter().zip(inverse).map(|(w, inverse)| w.wide() * inverse).collect();
    // The input's gradient sees the rows of all ranks; those of scale and shift are summed with all other gradients.
    let [mut sum_g, mut sum_product] = [db.clone(), dw.clone()];
    ranks::sum_numbers(&mut sum_g, all)?;
    ranks::sum_numbers(&mut sum_product, all)?;
    let by = [&scale, &mean(sum_g, output.rows), &mean(sum_product, output.rows)];
    let mut dx = vec![T::of(0.0); n * channels];
    let inputs = g.chunks(chunk).zip(normalized.chunks(chunk));
    team::for_each(dx.chunks_mut(chunk).zip(inputs).collect(), |(dx, (g, normal))| {
        input_gradient(dx, g, normal, by.map(Vec::as_slice));
    });
    for (out, values) in [(into_w, dw), (into_b, db)] {
        autograd::store(out, &tensor(values.into_iter().map(T::of).collect(), channels)?)?;
    }
    tensor(dx, (n, channels))
}

vectorized! {
    fn add_products[T: Float](sums: &mut [f64], g: &[T], normalized: &[T]) {
        let channels = sums.len();
        for (g, normal) in g.chunks_exact(channels).zip(normalized.chunks_exact(channels)) {
            for ((sum, g), normal) in sums.iter_mut().zip(g).zip(normal) {
                *sum += g.wide() * normal.wide();
            }
        }
    }
}

vectorized! {
    /// `scale · (g - mean_g - normalized · mean_product)` for each channel.
    fn input_gradient[T: Float](dx: &mut [T], g: &[T], normalized: &[T], by: [&[f64]; 3]) {
        let channels = by[0].len();
        let [scale, mean_g, mean_product] = by.map(|values| &values[..channels]);
        let inputs = g.chunks_exact(channels).zip(normalized.chunks_exact(channels));
        for (dx, (g, normal)) in dx.chunks_exact_mut(channels).zip(inputs) {
            for c in 0..channels {
                dx[c] = T::of(scale[c] * (g[c].wide() - mean_g[c] - normal[c].wide() * mean_product[c]));
            }
        }
    }
}

/// Normalises by given statistics instead of the batch's, as in evaluation.
pub fn normalize_by(
    xs: &Tensor,
    [mean, var]: [&Tensor; 2],
    [w, b]: [&Tensor; 2],
    eps: f64,
) -> Result<Tensor> {
    let scale = (w / (var + eps)?.sqrt()?)?;
    let shift = (b - (mean * &scale)?)?;
    debug_assert_eq!(xs.dim(D::Minus1)?, scale.elem_count());
    xs.broadcast_mul(&scale)?.broadcast_add(&shift)
}

/// `running ← (1 - momentum) running + momentum · correction · batch`, in place.
pub fn track(running: &Var, batch: &Tensor, momentum: f64, correction: f64) -> Result<()> {
    if !is_fused(running) {
        return running.set(
            &((running.as_detached_tensor() * (1.0 - momentum))? + (batch * (momentum * correction))?)?,
        );
    }
    by_dtype!(running, T => {
        let batch = view::<T>(batch)?;
        let (keep, take) = (T::of(1.0 - momentum), T::of(momentum * correction));
        edit::<T, _>(running, |running| {
            running.iter_mut().zip(batch.iter()).for_each(|(r, &b)| *r = keep * *r + take * b);
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::Accumulate;
    use super::*;
    use crate::distributed::Single;
    use crate::kernels::draws::Draws;

    #[test]
    fn value_and_gradients_match_the_reference() {
        let draws = Draws::new(1);
        let random = |shape: &[usize]| draws.normal(shape, 2.0);
        for (n, channels) in [(2, 1), (7, 5), (64, 33)] {
            let (xs, w, b, grad) =
                (random(&[n, channels]), random(&[channels]), random(&[channels]), random(&[n, channels]));
            let output = forward(&xs, &w, &b, 1e-5, &Single).unwrap();
            close(&output.ys, &reference(&xs, &w, &b, 1e-5).unwrap());
            let expected =
                autograd::vjp(&[&xs, &w, &b], &grad, |t| reference(&t[0], &t[1], &t[2], 1e-5)).unwrap();
            let (dw, db) = (w.zeros_like().unwrap(), b.ones_like().unwrap());
            let out = |buffer, accumulate| GradOut { buffer, accumulate };
            let outs = [out(&dw, Accumulate::REPLACE), out(&db, Accumulate::ADD)];
            let dx = backward(&xs, &w, &b, &output, &grad, outs, &Single).unwrap();
            close(&dx, &expected[0]);
            close(&dw, &expected[1]);
            close(&(db - 1.0).unwrap(), &expected[2]);
        }
    }

    fn close(a: &Tensor, b: &Tensor) {
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < 1e-9, "{difference}");
    }
}
