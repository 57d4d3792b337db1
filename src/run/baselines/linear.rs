//! A linear model of scaled inputs.

use candle_core::Tensor;

use super::design::{LinearInputs, Scaler};
use crate::data::Dataset;
use crate::error::Result;

/// The coefficients of a linear model.
pub(super) struct LinearCoefficients {
    /// (D, M)
    pub(super) weight: Tensor,
    /// (M)
    pub(super) bias: Tensor,
}

/// A fitted linear model.
pub(super) struct LinearModel {
    pub(super) features: LinearInputs,
    pub(super) scaler: Scaler,
    pub(super) coefficients: LinearCoefficients,
}

impl LinearModel {
    /// The model's values for these rows, (N, M).
    pub(super) fn values(&self, data: &Dataset, rows: &[u32]) -> Result<Tensor> {
        let xs = self.scaler.apply(&self.features.inputs(data, rows)?)?;
        Ok(xs.matmul(&self.coefficients.weight)?.broadcast_add(&self.coefficients.bias)?)
    }
}
