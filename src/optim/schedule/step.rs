//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::length::AfterLength;
use super::{Length, Schedule, count};
use crate::registry::KeyError;

/// Multiplies the learning rate by `gamma` every `step_size` steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StepLr {
    /// Number of steps between two decays; torch has no default.
    #[schemars(range(min = 1))]
    pub step_size: u64,
    /// The factor.
    pub gamma: f64,
}

impl Default for StepLr {
    fn default() -> Self {
        Self { step_size: 1, gamma: 0.1 }
    }
}

impl Schedule for StepLr {
    fn check(&self) -> Result<(), KeyError> {
        super::check_at_least_one("step_size", self.step_size)
    }

    fn lengths(&self) -> Vec<Length> {
        Length::of("step_size", self.step_size, AfterLength::Change)
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        base * self.gamma.powf(count(k / self.step_size))
    }
}
