//! The tensors of a pass over a batch.

use candle_core::Tensor;

use crate::kernels::activation::Activation;

/// The affine map of the normalised values, and the activation after it.
#[derive(Debug, Clone, Copy)]
pub struct ChannelAffine<'a> {
    /// The weight γ of each channel, (C).
    pub weight: &'a Tensor,
    /// The bias β of each channel, (C).
    pub bias: &'a Tensor,
    /// The activation of `γ x + β`, the pre-activation.
    pub act: Option<Activation>,
}

/// The result of [`forward`](super::forward): its value, the batch's statistics, and the tensors that
/// [`backward`](super::backward) needs.
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
