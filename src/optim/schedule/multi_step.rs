//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::length::milestone_misfits;
use super::{Misfit, Schedule, ScheduleSpan, count};
use crate::registry::KeyError;

/// Multiplies the learning rate by `gamma` at each of the `milestones`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MultiStep {
    /// The steps at which the learning rate decays.
    pub milestones: Vec<u64>,
    /// The factor.
    pub gamma: f64,
}

impl Default for MultiStep {
    fn default() -> Self {
        Self { milestones: Vec::new(), gamma: 0.1 }
    }
}

impl Schedule for MultiStep {
    fn check(&self) -> Result<(), KeyError> {
        Ok(())
    }

    fn misfits(&self, span: ScheduleSpan<'_>) -> Vec<Misfit> {
        milestone_misfits(&self.milestones, span)
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        let passed = self.milestones.iter().filter(|milestone| **milestone <= k).count();
        base * self.gamma.powf(count(passed as u64))
    }
}
