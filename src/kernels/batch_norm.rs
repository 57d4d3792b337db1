//! Batch normalisation over the rows of (N, C), and the activation after it: Ioffe and Szegedy 2015,
//! <https://arxiv.org/abs/1502.03167>.

mod fused;
mod output;
mod passes;
mod running;

use candle_core::{Result, Tensor};

use super::activation;
use super::{GradOut, autograd, by_dtype, cuda, is_fused};
use crate::distributed::Shards;
pub use output::{BatchNormOutput, ChannelAffine};
pub use running::{normalize_by, track};

/// Normalises each channel of a batch by its mean and biased variance, then scales, shifts and activates it. The batch is
/// the rows (N, C) of this rank's shards `xs`, and those of the other ranks.
pub fn forward(
    xs: &[Tensor],
    affine: ChannelAffine<'_>,
    eps: f64,
    shards: &Shards,
) -> Result<BatchNormOutput> {
    match xs {
        [xs] if !is_fused(xs) => forward_of_whole(xs, affine, eps, shards),
        _ => by_dtype!(affine.weight, T => fused::forward::<T>(xs, affine, eps, shards)),
    }
}

/// The same in tensor operations, and on a GPU.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn forward_of_whole(
    xs: &Tensor,
    affine: ChannelAffine<'_>,
    eps: f64,
    shards: &Shards,
) -> Result<BatchNormOutput> {
    if !shards.is_whole() {
        candle_core::bail!("batch norm over several shards or ranks runs in f32 or f64 on CPUs alone");
    }
    let rows = xs.dims()[0] as f64;
    let [pre, normalized, mean, var] = if cuda::runs_on(xs) {
        cuda::batch_norm::forward(xs, affine.weight, affine.bias, eps)?
    } else {
        let mean = xs.mean(0)?;
        let centered = xs.broadcast_sub(&mean)?;
        let var = centered.sqr()?.mean(0)?;
        let normalized = centered.broadcast_div(&(&var + eps)?.sqrt()?)?;
        [pre_activation(&normalized, affine)?, normalized, mean, var]
    };
    let ys = activation::forward_if(affine.act, &pre)?;
    Ok(BatchNormOutput { ys: vec![ys], mean, var, normalized: vec![normalized], rows, eps })
}

/// The activation's argument. It is worked out again on the way back, by the functions whose slope needs it, and not kept.
fn pre_activation(normalized: &Tensor, affine: ChannelAffine<'_>) -> Result<Tensor> {
    normalized.broadcast_mul(affine.weight)?.broadcast_add(affine.bias)
}

/// The reference implementation, in tensor operations, without an activation.
pub fn reference(xs: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<Tensor> {
    let centered = xs.broadcast_sub(&xs.mean(0)?)?;
    let std = (centered.sqr()?.mean(0)? + eps)?.sqrt()?;
    centered.broadcast_div(&std)?.broadcast_mul(w)?.broadcast_add(b)
}

/// The gradients of [`forward`]: those of scale and shift go to each shard's outputs, the inputs' are given back.
pub fn backward(
    xs: &[Tensor],
    affine: ChannelAffine<'_>,
    output: &BatchNormOutput,
    grads: &[Tensor],
    outs: &[[GradOut<'_>; 2]],
    shards: &Shards,
) -> Result<Vec<Tensor>> {
    match (xs, grads, outs) {
        ([xs], [grad], [outs]) if !is_fused(xs) => {
            Ok(vec![backward_of_whole(xs, affine, output, grad, *outs)?])
        }
        _ => by_dtype!(affine.weight, T => fused::backward::<T>(affine, output, grads, outs, shards)),
    }
}

/// The same in tensor operations, and on a GPU.
fn backward_of_whole(
    xs: &Tensor,
    affine: ChannelAffine<'_>,
    output: &BatchNormOutput,
    grad: &Tensor,
    outs: [GradOut<'_>; 2],
) -> Result<Tensor> {
    let BatchNormOutput { ys, normalized, var, eps, .. } = output;
    let ChannelAffine { weight, bias, act } = affine;
    let grad = match act {
        Some(act) => {
            let argument =
                if act.needs_input() { pre_activation(&normalized[0], affine)? } else { ys[0].clone() };
            activation::backward(act, &argument, &ys[0], grad)?
        }
        None => grad.clone(),
    };
    if cuda::runs_on(xs) {
        return cuda::batch_norm::backward(weight, &normalized[0], var, *eps, &grad, outs);
    }
    let grads = autograd::vjp(&[xs, weight, bias], &grad, |t| reference(&t[0], &t[1], &t[2], *eps))?;
    let [into_w, into_b] = outs;
    autograd::store(into_w, &grads[1])?;
    autograd::store(into_b, &grads[2])?;
    Ok(grads[0].clone())
}

#[cfg(test)]
mod tests;
