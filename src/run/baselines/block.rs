//! Some training rows of a linear model.

use candle_core::Tensor;

/// Some training rows.
pub(super) struct TrainingBlock {
    /// Inputs, (N, D).
    pub(super) xs: Tensor,
    /// (N, M)
    pub(super) targets: Tensor,
    /// (N)
    pub(super) weights: Tensor,
}
