//! Batch normalisation over the rows of (N, C): Ioffe and Szegedy 2015, <https://arxiv.org/abs/1502.03167>.

mod passes;
mod running;

use candle_core::{Result, Tensor};

use super::buffers::filled;
use super::storage::{Float, tensor, view};
use super::{GradOut, autograd, by_dtype, columns, cuda, is_fused, ranks};
use crate::distributed::Shards;
use passes::{add_products, add_squares, input_gradient, normalize};
pub use running::{normalize_by, track};

/// The result of [`forward`]: its value, the batch's statistics, and the tensors that [`backward`] needs.
#[derive(Debug, Clone)]
pub struct BatchNormOutput {
    /// The value of each shard, (N, C).
    pub ys: Vec<Tensor>,
    /// The mean of each channel, (C).
    pub mean: Tensor,
    /// The biased variance of each channel, (C).
    pub var: Tensor,
    /// The input of each shard less its mean, over its standard deviation, (N, C).
    normalized: Vec<Tensor>,
    /// The rows of the batch, on all ranks.
    pub rows: f64,
    eps: f64,
}

/// Normalises each channel of a batch by its mean and biased variance, then scales by `w` and shifts by `b`. The batch is
/// the rows (N, C) of this rank's shards `xs`, and those of the other ranks.
pub fn forward(xs: &[Tensor], w: &Tensor, b: &Tensor, eps: f64, shards: &Shards) -> Result<BatchNormOutput> {
    match xs {
        [xs] if !is_fused(xs) => forward_of_whole(xs, w, b, eps, shards),
        _ => by_dtype!(w, T => fused_forward::<T>(xs, w, b, eps, shards)),
    }
}

/// The same in tensor operations, and on a GPU.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn forward_of_whole(
    xs: &Tensor,
    w: &Tensor,
    b: &Tensor,
    eps: f64,
    shards: &Shards,
) -> Result<BatchNormOutput> {
    if !shards.is_whole() {
        candle_core::bail!("batch norm over several shards or ranks runs in f32 or f64 on CPUs alone");
    }
    let rows = xs.dims()[0] as f64;
    if cuda::runs_on(xs) {
        let [ys, normalized, mean, var] = cuda::batch_norm::forward(xs, w, b, eps)?;
        return Ok(BatchNormOutput { ys: vec![ys], mean, var, normalized: vec![normalized], rows, eps });
    }
    let mean = xs.mean(0)?;
    let centered = xs.broadcast_sub(&mean)?;
    let var = centered.sqr()?.mean(0)?;
    let normalized = centered.broadcast_div(&(&var + eps)?.sqrt()?)?;
    let ys = normalized.broadcast_mul(w)?.broadcast_add(b)?;
    Ok(BatchNormOutput { ys: vec![ys], mean, var, normalized: vec![normalized], rows, eps })
}

/// The reference implementation, in tensor operations.
pub fn reference(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<Tensor> {
    let centered = xs.broadcast_sub(&xs.mean(0)?)?;
    let std = (centered.sqr()?.mean(0)? + eps)?.sqrt()?;
    centered.broadcast_div(&std)?.broadcast_mul(w)?.broadcast_add(b)
}

#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn fused_forward<T: Float>(
    xs: &[Tensor],
    w: &Tensor,
    b: &Tensor,
    eps: f64,
    shards: &Shards,
) -> Result<BatchNormOutput> {
    let channels = w.elem_count();
    let parts = xs.iter().map(view::<T>).collect::<Result<Vec<_>>>()?;
    let (w, b) = (view::<T>(w)?, view::<T>(b)?);
    let chunk = columns::chunk(channels);
    let sums = parts.iter().map(|x| {
        let mut sums = columns::sums(x, channels);
        sums.push((x.len() / channels) as f64);
        sums
    });
    let mut sums = ranks::sum_numbers(sums.collect(), shards)?;
    let rows = sums.pop().unwrap_or_default();
    let mean = mean(sums, rows);
    let squares = parts.iter().map(|x| {
        columns::sums_of(x.chunks(chunk).collect(), channels, |x, sums| add_squares(sums, x, &mean))
    });
    let var = self::mean(ranks::sum_numbers(squares.collect(), shards)?, rows);
    let center: Vec<T> = mean.iter().map(|&m| T::of(m)).collect();
    let inverse: Vec<T> = var.iter().map(|v| T::of(1.0 / (v + eps).sqrt())).collect();
    let (mut ys, mut normalized) = (Vec::new(), Vec::new());
    for (x, xs) in parts.iter().zip(xs) {
        let chunks = x.chunks(chunk).map(|x| (x.len(), x));
        let [normal, out] = filled(chunks, |x, outputs| normalize(x, [&center, &inverse, &w, &b], outputs));
        normalized.push(tensor(normal, xs.shape())?);
        ys.push(tensor(out, xs.shape())?);
    }
    let [mean, var] = [mean, var].map(|sums| tensor(sums.into_iter().map(T::of).collect(), channels));
    Ok(BatchNormOutput { ys, mean: mean?, var: var?, normalized, rows, eps })
}

/// The sums over rows, divided by their number.
fn mean(mut sums: Vec<f64>, rows: f64) -> Vec<f64> {
    for sum in &mut sums {
        *sum /= rows;
    }
    sums
}

/// The gradients of [`forward`]: those of scale and shift go to each shard's outputs, the inputs' are given back.
pub fn backward(
    xs: &[Tensor],
    w: &Tensor,
    b: &Tensor,
    output: &BatchNormOutput,
    grads: &[Tensor],
    outs: &[[GradOut<'_>; 2]],
    shards: &Shards,
) -> Result<Vec<Tensor>> {
    if let ([xs], [grad], [[into_w, into_b]]) = (xs, grads, outs)
        && !is_fused(xs)
    {
        if cuda::runs_on(xs) {
            let BatchNormOutput { normalized, var, eps, .. } = output;
            let outs = [*into_w, *into_b];
            return Ok(vec![cuda::batch_norm::backward(w, &normalized[0], var, *eps, grad, outs)?]);
        }
        let grads = autograd::vjp(&[xs, w, b], grad, |t| reference(&t[0], &t[1], &t[2], output.eps))?;
        autograd::store(*into_w, &grads[1])?;
        autograd::store(*into_b, &grads[2])?;
        return Ok(vec![grads[0].clone()]);
    }
    by_dtype!(w, T => fused_backward::<T>(w, output, grads, outs, shards))
}

fn fused_backward<T: Float>(
    w: &Tensor,
    output: &BatchNormOutput,
    grads: &[Tensor],
    outs: &[[GradOut<'_>; 2]],
    shards: &Shards,
) -> Result<Vec<Tensor>> {
    let channels = w.elem_count();
    let gs = grads.iter().map(view::<T>).collect::<Result<Vec<_>>>()?;
    let normals = output.normalized.iter().map(view::<T>).collect::<Result<Vec<_>>>()?;
    let var = view::<T>(&output.var)?;
    // The gradient of a bias in front of this layer is zero but for the rounding here, and Adam makes steps of what
    // rounding leaves: so all of it runs in f64.
    let sums = gs.iter().zip(&normals).map(|(g, normal)| gradient_sums(g, normal, channels));
    let sums: Vec<Vec<f64>> = sums.collect();
    // dx = w / std · (g - mean(g) - normalized · mean(g · normalized))
    let inverse = var.iter().map(|var| 1.0 / (var.wide() + output.eps).sqrt());
    let scale: Vec<f64> = view::<T>(w)?.iter().zip(inverse).map(|(w, inverse)| w.wide() * inverse).collect();
    // The input's gradient sees the rows of all shards; those of scale and shift are summed with all other gradients.
    let means = mean(ranks::sum_numbers(sums.clone(), shards)?, output.rows);
    let (mean_g, mean_product) = means.split_at(channels);
    let by = [&scale[..], mean_g, mean_product];
    let inputs = gs.iter().zip(&normals).zip(grads);
    let gradients = inputs.map(|((g, normal), grad)| tensor(input_gradients(g, normal, by), grad.shape()));
    let gradients = gradients.collect::<Result<Vec<_>>>()?;
    for ([into_w, into_b], sums) in outs.iter().zip(sums) {
        let (db, dw) = sums.split_at(channels);
        for (into, sums) in [(into_w, dw), (into_b, db)] {
            autograd::store(*into, &tensor(sums.iter().map(|sum| T::of(*sum)).collect(), channels)?)?;
        }
    }
    Ok(gradients)
}

/// The sums over a shard's rows of the gradient, then of its products with the normalised input: a number a channel each.
fn gradient_sums<T: Float>(g: &[T], normal: &[T], channels: usize) -> Vec<f64> {
    let chunk = columns::chunk(channels);
    let chunks = g.chunks(chunk).zip(normal.chunks(chunk)).collect();
    columns::sums_of(chunks, 2 * channels, |(g, normal), sums| {
        let (of_g, of_products) = sums.split_at_mut(channels);
        columns::add_rows(of_g, g);
        add_products(of_products, g, normal);
    })
}

/// The gradient of a shard's input, on all threads; `by` as [`input_gradient`]'s.
fn input_gradients<T: Float>(g: &[T], normal: &[T], by: [&[f64]; 3]) -> Vec<T> {
    let chunk = columns::chunk(by[0].len());
    let chunks = g.chunks(chunk).zip(normal.chunks(chunk)).map(|(g, normal)| (g.len(), (g, normal)));
    let [dx] = filled(chunks, |(g, normal), [dx]| input_gradient(dx, g, normal, by));
    dx
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::Arc;

    use super::super::Accumulate;
    use super::*;
    use crate::distributed::Single;
    use crate::kernels::draws::Draws;

    #[test]
    fn value_and_gradients_match_the_reference_in_one_shard_and_in_several() {
        let draws = Draws::new(1);
        let random = |shape: &[usize]| draws.normal(shape, 2.0);
        for (n, channels, count) in
            [(2, 1, 1), (7, 5, 1), (64, 33, 1), (64, 33, 4), (7, 5, 2), (3, 2, 8), (3000, 5, 1), (5000, 5, 2)]
        {
            let (xs, w, b, grad) =
                (random(&[n, channels]), random(&[channels]), random(&[channels]), random(&[n, channels]));
            let shards = Shards::new(count, Arc::new(Single)).unwrap();
            let cut = |rows: &Tensor| -> Vec<Tensor> {
                let part = |at: Range<usize>| rows.narrow(0, at.start, at.len()).unwrap();
                shards.rows(n).into_iter().map(part).collect()
            };
            let (parts, grads) = (cut(&xs), cut(&grad));
            let output = forward(&parts, &w, &b, 1e-5, &shards).unwrap();
            close(&Tensor::cat(&output.ys, 0).unwrap(), &reference(&xs, &w, &b, 1e-5).unwrap());
            let expected =
                autograd::vjp(&[&xs, &w, &b], &grad, |t| reference(&t[0], &t[1], &t[2], 1e-5)).unwrap();
            let (dw, db) = (w.zeros_like().unwrap(), b.ones_like().unwrap());
            // All shards add to one buffer here.
            let out = |buffer| GradOut { buffer, accumulate: Accumulate::ADD };
            let outs = vec![[out(&dw), out(&db)]; count];
            let dx = backward(&parts, &w, &b, &output, &grads, &outs, &shards).unwrap();
            close(&Tensor::cat(&dx, 0).unwrap(), &expected[0]);
            close(&dw, &expected[1]);
            close(&(db - 1.0).unwrap(), &expected[2]);
        }
    }

    fn close(a: &Tensor, b: &Tensor) {
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < 1e-9, "{difference}");
    }
}
