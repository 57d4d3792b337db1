//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::length::AfterLength;
use super::{Length, Schedule, count};
use crate::registry::KeyError;

/// Changes the factor of the learning rate linearly from `start_factor` to `end_factor` in `total_iters` steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LinearLr {
    /// The factor at the start.
    pub start_factor: f64,
    /// The factor at the end.
    pub end_factor: f64,
    /// Number of steps; default: 5, and where `end_factor` is 0 those of the run.
    #[schemars(range(min = 1))]
    pub total_iters: Option<u64>,
}

impl Default for LinearLr {
    fn default() -> Self {
        Self { start_factor: 1.0 / 3.0, end_factor: 1.0, total_iters: None }
    }
}

impl LinearLr {
    fn total_iters(&self) -> u64 {
        self.total_iters.unwrap_or(5)
    }

    /// Whether nothing is left of the learning rate at its end.
    fn ends_at_zero(&self) -> bool {
        self.end_factor == 0.0
    }
}

impl Schedule for LinearLr {
    fn check(&self) -> Result<(), KeyError> {
        super::check_at_least_one("total_iters", self.total_iters())
    }

    fn fill(&mut self, steps: u64) {
        if self.ends_at_zero() {
            self.total_iters.get_or_insert(steps.max(1));
        }
    }

    fn lengths(&self) -> Vec<Length> {
        match self.total_iters {
            Some(steps) if self.ends_at_zero() => Length::to_the_end("total_iters", Some(steps)),
            _ => Length::of("total_iters", self.total_iters(), AfterLength::Steady),
        }
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        let total = self.total_iters();
        let share = count(k.min(total)) / count(total);
        base * (self.start_factor + (self.end_factor - self.start_factor) * share)
    }
}
