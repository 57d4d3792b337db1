//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Length, ParamGroup, Schedule, count};
use crate::registry::KeyError;

/// Half a cosine from the learning rate to `eta_min` in `T_max` steps: Loshchilov and Hutter 2017.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(non_snake_case, reason = "torch's names")]
pub struct CosineAnnealing {
    /// Number of steps to the minimum; default: those of the run.
    #[schemars(range(min = 1))]
    pub T_max: Option<u64>,
    /// Minimum learning rate.
    pub eta_min: f64,
}

impl Default for CosineAnnealing {
    fn default() -> Self {
        Self { T_max: None, eta_min: 0.0 }
    }
}

impl Schedule for CosineAnnealing {
    fn check(&self) -> Result<(), KeyError> {
        super::check_at_least_one("T_max", self.T_max.unwrap_or(1))
    }

    fn fill(&mut self, steps: u64) {
        self.T_max.get_or_insert(steps.max(1));
    }

    fn lengths(&self) -> Vec<Length> {
        Length::to_the_end("T_max", self.T_max)
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        let cosine = (std::f64::consts::PI * count(k) / count(self.T_max.unwrap_or(1))).cos();
        self.eta_min + (base - self.eta_min) * (1.0 + cosine) / 2.0
    }

    /// torch goes from one learning rate to the next, and comes back to `base_lrs` behind the minimum.
    fn lr_in(&self, group: &ParamGroup, k: u64) -> f64 {
        let falls = k <= self.T_max.unwrap_or(1);
        self.lr(if falls { group.lr } else { group.base_lr }, k)
    }
}
