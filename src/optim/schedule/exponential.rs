//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Schedule, count};
use crate::registry::KeyError;

/// Multiplies the learning rate by `gamma` at every step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Exponential {
    /// The factor; torch has no default.
    pub gamma: f64,
}

impl Default for Exponential {
    fn default() -> Self {
        Self { gamma: 0.9 }
    }
}

impl Schedule for Exponential {
    fn check(&self) -> Result<(), KeyError> {
        Ok(())
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        base * self.gamma.powf(count(k))
    }
}
