//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Length, Schedule, count};
use crate::registry::KeyError;

/// Multiplies the learning rate by `(1 - k / total_iters)^power`, then by 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Polynomial {
    /// Number of steps; default: those of the run.
    #[schemars(range(min = 1))]
    pub total_iters: Option<u64>,
    /// The exponent.
    pub power: f64,
}

impl Default for Polynomial {
    fn default() -> Self {
        Self { total_iters: None, power: 1.0 }
    }
}

impl Schedule for Polynomial {
    fn check(&self) -> Result<(), KeyError> {
        super::check_at_least_one("total_iters", self.total_iters.unwrap_or(1))
    }

    fn fill(&mut self, steps: u64) {
        self.total_iters.get_or_insert(steps.max(1));
    }

    fn lengths(&self) -> Vec<Length> {
        Length::to_the_end("total_iters", self.total_iters)
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        let total = self.total_iters.unwrap_or(1);
        base * (1.0 - count(k.min(total)) / count(total)).powf(self.power)
    }
}
