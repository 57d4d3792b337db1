//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::length::AfterLength;
use super::{Length, ParamGroup, Schedule, count};
use crate::registry::KeyError;

/// A cosine from the learning rate to `eta_min` in `T_0` steps, restarted with a period `T_mult` times as long each
/// time: SGDR, Loshchilov and Hutter 2017.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(non_snake_case, reason = "torch's names")]
pub struct CosineAnnealingWarmRestarts {
    /// Number of steps until the first restart; torch has no default.
    #[schemars(range(min = 1))]
    pub T_0: u64,
    /// The factor by which the number of steps grows after each restart.
    #[schemars(range(min = 1))]
    pub T_mult: u64,
    /// Minimum learning rate.
    pub eta_min: f64,
}

impl Default for CosineAnnealingWarmRestarts {
    fn default() -> Self {
        Self { T_0: 1, T_mult: 1, eta_min: 0.0 }
    }
}

impl Schedule for CosineAnnealingWarmRestarts {
    fn check(&self) -> Result<(), KeyError> {
        super::check_at_least_one("T_0", self.T_0)?;
        super::check_at_least_one("T_mult", self.T_mult)
    }

    fn lengths(&self) -> Vec<Length> {
        Length::of("T_0", self.T_0, AfterLength::Steady)
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        let (mut now, mut length) = (k, self.T_0);
        if self.T_mult == 1 {
            now %= length;
        }
        while now >= length {
            now -= length;
            length = length.saturating_mul(self.T_mult);
        }
        let cosine = (std::f64::consts::PI * count(now) / count(length)).cos();
        self.eta_min + (base - self.eta_min) * (1.0 + cosine) / 2.0
    }

    fn lr_in(&self, group: &ParamGroup, k: u64) -> f64 {
        self.lr(group.base_lr, k)
    }
}
