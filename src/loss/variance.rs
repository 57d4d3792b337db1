//! The conversion of outputs to variances.

use candle_core::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A function with positive values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Variance {
    /// `e^s`: the network gives the logarithm of the variance.
    #[default]
    Exp,
    /// `log(1 + e^s)`
    Softplus,
}

impl Variance {
    /// The variances, of any shape.
    pub(super) fn of(self, s: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Exp => s.exp(),
            // max(s, 0) + log(1 + e^-|s|), which does not overflow
            Self::Softplus => s.relu()? + (s.abs()?.neg()?.exp()? + 1.0)?.log()?,
        }
    }
}
