//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::length::AfterLength;
use super::{Length, MomentumBounds, Schedule, count};
use crate::registry::KeyError;
use crate::registry::schema::positive;

/// Cycles from `base_lr` to `max_lr` and back: Smith 2017. The optimizer's own learning rate is not used. Momentum cycles
/// inversely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cyclic {
    /// Minimum learning rate; torch has no default.
    pub base_lr: f64,
    /// Maximum learning rate; torch has no default.
    pub max_lr: f64,
    /// Number of steps of the increasing half.
    #[schemars(range(min = 1))]
    pub step_size_up: u64,
    /// Number of steps of the decreasing half; default: `step_size_up`.
    #[schemars(range(min = 1))]
    pub step_size_down: Option<u64>,
    /// The change of the amplitude from cycle to cycle.
    pub mode: CyclicMode,
    /// The base of `exp_range`.
    pub gamma: f64,
    /// Cycle the optimizer's `momentum`, or the first of its `betas`, inversely to the learning rate.
    pub cycle_momentum: bool,
    /// Minimum momentum.
    #[schemars(range(min = 0))]
    pub base_momentum: f64,
    /// Maximum momentum, at which training starts.
    #[schemars(transform = positive)]
    pub max_momentum: f64,
}

impl Default for Cyclic {
    fn default() -> Self {
        Self {
            base_lr: 1e-4,
            max_lr: 1e-2,
            step_size_up: 2000,
            step_size_down: None,
            mode: CyclicMode::Triangular,
            gamma: 1.0,
            cycle_momentum: true,
            base_momentum: 0.8,
            max_momentum: 0.9,
        }
    }
}

/// The change of the amplitude from cycle to cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Mode")]
pub enum CyclicMode {
    /// Constant amplitude.
    Triangular,
    /// Half the amplitude in each cycle.
    Triangular2,
    /// An amplitude of `gamma^k` at step k.
    ExpRange,
}

impl Cyclic {
    /// The position of step `k` between minimum and maximum, 0 to 1.
    fn height(&self, k: u64) -> f64 {
        let up = count(self.step_size_up);
        let total = up + self.step_size_down.map_or(up, count);
        let cycle = (1.0 + count(k) / total).floor();
        let x = 1.0 + count(k) / total - cycle;
        let ratio = up / total;
        let height = if x <= ratio { x / ratio } else { (x - 1.0) / (ratio - 1.0) };
        height
            * match self.mode {
                CyclicMode::Triangular => 1.0,
                CyclicMode::Triangular2 => 0.5f64.powf(cycle - 1.0),
                CyclicMode::ExpRange => self.gamma.powf(count(k)),
            }
    }
}

impl Schedule for Cyclic {
    fn check(&self) -> Result<(), KeyError> {
        super::check_at_least_one("step_size_up", self.step_size_up)?;
        super::check_at_least_one("step_size_down", self.step_size_down.unwrap_or(1))?;
        super::check_momenta(self.base_momentum, self.max_momentum)
    }

    fn lengths(&self) -> Vec<Length> {
        Length::of("step_size_up", self.step_size_up, AfterLength::Half)
    }

    fn lr(&self, _: f64, k: u64) -> f64 {
        self.base_lr + (self.max_lr - self.base_lr) * self.height(k)
    }

    fn momentum(&self, k: u64) -> Option<f64> {
        let range = self.max_momentum - self.base_momentum;
        self.cycle_momentum.then(|| self.max_momentum - range * self.height(k))
    }

    fn momentum_bounds(&self) -> Option<MomentumBounds> {
        let Self { base_momentum: base, max_momentum: max, .. } = *self;
        self.cycle_momentum.then_some(MomentumBounds { base, max })
    }

    fn initial_lr(&self, _: f64, recorded: Option<f64>) -> f64 {
        recorded.unwrap_or(self.base_lr)
    }
}
