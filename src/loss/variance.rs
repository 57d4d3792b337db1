//! How outputs become variances.

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
