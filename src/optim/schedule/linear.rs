//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Schedule, count};
use crate::registry::KeyError;

/// Changes the factor of the learning rate linearly from `start_factor` to `end_factor` in `total_iters` steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Linear {
    /// The factor at the start.
    pub start_factor: f64,
    /// The factor at the end.
    pub end_factor: f64,
    /// Number of steps.
    #[schemars(range(min = 1))]
    pub total_iters: u64,
}

impl Default for Linear {
    fn default() -> Self {
        Self { start_factor: 1.0 / 3.0, end_factor: 1.0, total_iters: 5 }
    }
}

impl Schedule for Linear {
    fn check(&self) -> Result<(), KeyError> {
        super::check_at_least_one("total_iters", self.total_iters)
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        let share = count(k.min(self.total_iters)) / count(self.total_iters);
        base * (self.start_factor + (self.end_factor - self.start_factor) * share)
    }
}
