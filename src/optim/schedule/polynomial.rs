//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Schedule, count};
use crate::registry::KeyError;

/// Multiplies the learning rate by `(1 - k / total_iters)^power`, then by 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Polynomial {
    /// Number of steps.
    #[schemars(range(min = 1))]
    pub total_iters: u64,
    /// The exponent.
    pub power: f64,
}

impl Default for Polynomial {
    fn default() -> Self {
        Self { total_iters: 5, power: 1.0 }
    }
}

impl Schedule for Polynomial {
    fn check(&self) -> Result<(), KeyError> {
        super::check_at_least_one("total_iters", self.total_iters)
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        base * (1.0 - count(k.min(self.total_iters)) / count(self.total_iters)).powf(self.power)
    }
}
