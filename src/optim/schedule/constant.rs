//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::length::AfterLength;
use super::{Length, Schedule};
use crate::registry::KeyError;

/// Multiplies the learning rate by `factor` for the first `total_iters` steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// The factor at the start.
    pub factor: f64,
    /// Number of steps.
    pub total_iters: u64,
}

impl Default for Constant {
    fn default() -> Self {
        Self { factor: 1.0 / 3.0, total_iters: 5 }
    }
}

impl Schedule for Constant {
    fn check(&self) -> Result<(), KeyError> {
        Ok(())
    }

    fn lengths(&self) -> Vec<Length> {
        Length::of("total_iters", self.total_iters, AfterLength::Change)
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        base * if k < self.total_iters { self.factor } else { 1.0 }
    }
}
