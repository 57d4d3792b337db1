//! The parts that both ways through a batch have in common.

use candle_core::{Result, Tensor};

use crate::kernels::activation::Activation;
use crate::kernels::storage::{Float, tensor};
use crate::kernels::{GradOut, autograd};

/// The factor and the term of each channel's normalised values, and the activation after them.
#[derive(Debug, Clone, Copy)]
pub struct Scaling<'a> {
    /// The factor of each channel, (C).
    pub weight: &'a Tensor,
    /// The term of each channel, (C).
    pub bias: &'a Tensor,
    /// The activation of the sum.
    pub act: Option<Activation>,
}

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
    pub(super) normalized: Vec<Tensor>,
    /// The rows of the batch, on all ranks.
    pub rows: f64,
    pub(super) eps: f64,
}

/// Writes the gradients of scale and shift, of which `sums` has the shift's and then the scale's.
pub(super) fn store_gradients<T: Float>([into_w, into_b]: [GradOut<'_>; 2], sums: &[f64]) -> Result<()> {
    let (db, dw) = sums.split_at(sums.len() / 2);
    for (into, sums) in [(into_w, dw), (into_b, db)] {
        autograd::store(into, &tensor(sums.iter().map(|sum| T::of(*sum)).collect(), sums.len())?)?;
    }
    Ok(())
}

/// The sums over rows, divided by their number.
pub(super) fn mean(mut sums: Vec<f64>, rows: f64) -> Vec<f64> {
    for sum in &mut sums {
        *sum /= rows;
    }
    sums
}

/// `weight / std` of each channel.
pub(super) fn input_scale<T: Float>(weight: &[T], var: &[T], eps: f64) -> Vec<f64> {
    let inverse = var.iter().map(|var| 1.0 / (var.wide() + eps).sqrt());
    weight.iter().zip(inverse).map(|(w, inverse)| w.wide() * inverse).collect()
}
