//! The passes over chunks of rows on the CPU, between which shards and ranks exchange their sums.

use candle_core::{Result, Tensor};

use super::output::{BatchNormOutput, ChannelAffine};
use super::passes::{add_distances, add_gradients, input_gradient, normalize, slope_products};
use crate::distributed::Shards;
use crate::kernels::activation::{Activation, apply};
use crate::kernels::buffers::filled;
use crate::kernels::columns::{self, FilledWithSums, filled_with_sums};
use crate::kernels::storage::{Float, tensor, view};
use crate::kernels::{GradOut, autograd, ranks};

pub(super) fn forward<T: Float>(
    xs: &[Tensor],
    ChannelAffine { weight, bias, act }: ChannelAffine<'_>,
    eps: f64,
    shards: &Shards,
) -> Result<BatchNormOutput> {
    let channels = weight.elem_count();
    let parts = xs.iter().map(view::<T>).collect::<Result<Vec<_>>>()?;
    let (w, b) = (view::<T>(weight)?, view::<T>(bias)?);
    let moments: Vec<_> = parts.iter().map(|x| ShardMoments::of(x, channels)).collect();
    let sums = moments.iter().map(ShardMoments::sums).collect();
    let mut sums = ranks::sum_numbers(sums, shards)?;
    let rows = sums.pop().unwrap_or_default();
    let mean = mean(sums, rows);
    let squares = moments.iter().map(|moments| moments.squares_around(&mean)).collect();
    let var = self::mean(ranks::sum_numbers(squares, shards)?, rows);
    let center: Vec<T> = mean.iter().map(|&m| T::of(m)).collect();
    let inverse: Vec<T> = var.iter().map(|v| T::of(1.0 / (v + eps).sqrt())).collect();
    let by = [&center[..], &inverse, &w, &b];
    let outputs = parts.iter().zip(xs).map(|(x, xs)| -> Result<_> {
        let [normal, ys] = normalized(x, by, act);
        Ok((tensor(normal, xs.shape())?, tensor(ys, xs.shape())?))
    });
    let (normalized, ys) = outputs.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    let [mean, var] = [mean, var].map(|sums| tensor(sums.into_iter().map(T::of).collect(), channels));
    Ok(BatchNormOutput { ys, mean: mean?, var: var?, normalized, rows, eps })
}

/// The moments of a shard about its mean, of which the parallel-axis theorem makes those of the batch: Chan, Golub and `LeVeque`
/// 1983, <https://doi.org/10.1080/00031305.1983.10483115>.
struct ShardMoments {
    rows: f64,
    mean: Vec<f64>,
    /// The sums of the squares of the distances from the mean.
    squares: Vec<f64>,
}

impl ShardMoments {
    /// In one pass, by the distances from the first row. As that is one of the rows, the square of its distance from the mean is
    /// no larger than the sum of all, and the subtraction below loses a factor of the number of rows at most.
    #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
    fn of<T: Float>(x: &[T], channels: usize) -> Self {
        let Some(shift) = x.get(..channels) else {
            // A shard without rows.
            return Self { rows: 0.0, mean: vec![0.0; channels], squares: vec![0.0; channels] };
        };
        let rows = (x.len() / channels) as f64;
        let chunks = x.chunks(columns::chunk(channels)).collect();
        let sums = columns::sums_of(chunks, 2 * channels, |x, sums| {
            add_distances(sums.split_at_mut(channels).into(), x, shift);
        });
        let (of_x, of_squares) = sums.split_at(channels);
        // Rounding can make it negative. Where the squares are too large for f64, or no numbers, so is their sum about the mean.
        let about_mean = |sum: f64, squares: f64| {
            if squares.is_finite() { (squares - sum / rows * sum).max(0.0) } else { squares }
        };
        let mean = of_x.iter().zip(shift).map(|(sum, shift)| shift.wide() + sum / rows).collect();
        let squares = of_x.iter().zip(of_squares).map(|(sum, squares)| about_mean(*sum, *squares));
        Self { rows, mean, squares: squares.collect() }
    }

    /// The sum of each channel, and the number of rows.
    fn sums(&self) -> Vec<f64> {
        self.mean.iter().map(|mean| mean * self.rows).chain([self.rows]).collect()
    }

    /// The sums of the squares of the distances from another mean.
    fn squares_around(&self, mean: &[f64]) -> Vec<f64> {
        let own = self.squares.iter().zip(&self.mean);
        own.zip(mean)
            .map(|((squares, own), mean)| squares + self.rows * (own - mean) * (own - mean))
            .collect()
    }
}

/// The normalised rows of a shard and their values, on all threads; `by` as [`normalize`]'s.
fn normalized<T: Float>(x: &[T], by: [&[T]; 4], act: Option<Activation>) -> [Vec<T>; 2] {
    let channels = by[0].len();
    let chunks = x.chunks(columns::chunk(channels)).map(|x| (x.len(), x));
    filled(chunks, |x, [normal, ys]| {
        normalize(x, by, [normal, &mut *ys]);
        if let Some(act) = act {
            apply(act, ys);
        }
    })
}

pub(super) fn backward<T: Float>(
    affine: ChannelAffine<'_>,
    output: &BatchNormOutput,
    grads: &[Tensor],
    outs: &[[GradOut<'_>; 2]],
    shards: &Shards,
) -> Result<Vec<Tensor>> {
    let channels = affine.weight.elem_count();
    let normals = output.normalized.iter().map(view::<T>).collect::<Result<Vec<_>>>()?;
    let var = view::<T>(&output.var)?;
    let (mut pre, mut sums) = (Vec::new(), Vec::new());
    for ((grad, normal), ys) in grads.iter().zip(&normals).zip(&output.ys) {
        let part = gradient_sums::<T>(affine, grad, normal, ys)?;
        pre.push(part.grad);
        sums.push(part.sums);
    }
    // The input's gradient sees the rows of all shards; those of scale and shift are summed with all other gradients.
    let means = mean(ranks::sum_numbers(sums.clone(), shards)?, output.rows);
    let (mean_g, mean_product) = means.split_at(channels);
    let scale = input_scale(&view::<T>(affine.weight)?, &var, output.eps);
    let by = [&scale[..], mean_g, mean_product];
    let inputs = pre.iter().zip(&normals);
    let gradients = inputs.map(|(grad, normal)| {
        let dx = input_gradients(&view::<T>(grad)?, normal, by);
        tensor(dx, grad.shape())
    });
    let gradients = gradients.collect::<Result<Vec<_>>>()?;
    for (outs, sums) in outs.iter().zip(sums) {
        store_gradients::<T>(*outs, &sums)?;
    }
    Ok(gradients)
}

/// The gradient of a shard's pre-activation.
struct ShardGradient {
    grad: Tensor,
    /// The sums over rows of the gradient, then of its products with the normalised input: a number a channel each.
    sums: Vec<f64>,
}

fn gradient_sums<T: Float>(
    ChannelAffine { weight, bias, act }: ChannelAffine<'_>,
    grad: &Tensor,
    normal: &[T],
    ys: &Tensor,
) -> Result<ShardGradient> {
    let channels = weight.elem_count();
    let chunk = columns::chunk(channels);
    let (g, y) = (view::<T>(grad)?, view::<T>(ys)?);
    let (w, b) = (view::<T>(weight)?, view::<T>(bias)?);
    let add = |g: &[T], normal: &[T], sums: &mut [f64]| {
        add_gradients(sums.split_at_mut(channels).into(), g, normal);
    };
    let chunks = g.chunks(chunk).zip(normal.chunks(chunk));
    let Some(act) = act else {
        let sums = columns::sums_of(chunks.collect(), 2 * channels, |(g, normal), sums| add(g, normal, sums));
        return Ok(ShardGradient { grad: grad.clone(), sums });
    };
    let chunks = chunks.zip(y.chunks(chunk)).map(|((g, normal), y)| (g.len(), [g, normal, y]));
    let FilledWithSums { buffers: [pre], sums } =
        filled_with_sums(chunks, 2 * channels, |[g, normal, y], [pre]: [&mut [T]; 1], sums| {
            slope_products(act, [normal, y, g], [&w, &b], pre);
            add(pre, normal, sums);
        });
    Ok(ShardGradient { grad: tensor(pre, grad.shape())?, sums })
}

/// The gradient of a shard's input, on all threads; `by` as [`input_gradient`]'s.
fn input_gradients<T: Float>(g: &[T], normal: &[T], by: [&[f64]; 3]) -> Vec<T> {
    let channels = by[0].len();
    let chunk = columns::chunk(channels);
    let chunks = g.chunks(chunk).zip(normal.chunks(chunk)).map(|(g, normal)| (g.len(), [g, normal]));
    let [dx] = filled(chunks, |[g, normal], [dx]| input_gradient(dx, g, normal, by));
    dx
}

/// Writes the gradients of scale and shift, of which `sums` has the shift's and then the scale's.
fn store_gradients<T: Float>([into_w, into_b]: [GradOut<'_>; 2], sums: &[f64]) -> Result<()> {
    let (db, dw) = sums.split_at(sums.len() / 2);
    for (into, sums) in [(into_w, dw), (into_b, db)] {
        autograd::store(into, &tensor(sums.iter().map(|sum| T::of(*sum)).collect(), sums.len())?)?;
    }
    Ok(())
}

/// The sums over rows, divided by their number.
fn mean(mut sums: Vec<f64>, rows: f64) -> Vec<f64> {
    for sum in &mut sums {
        *sum /= rows;
    }
    sums
}

/// `weight / std` of each channel.
fn input_scale<T: Float>(weight: &[T], var: &[T], eps: f64) -> Vec<f64> {
    let inverse = var.iter().map(|var| 1.0 / (var.wide() + eps).sqrt());
    weight.iter().zip(inverse).map(|(w, inverse)| w.wide() * inverse).collect()
}
