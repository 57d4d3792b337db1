//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CycleBounds, Length, LrBounds, MomentumBounds, ParamGroup, Schedule, count};
use crate::registry::KeyError;
use crate::registry::schema::positive;

/// One increase to `max_lr` and one long decrease: Smith and Topin 2018. The optimizer's own learning rate is not used.
/// Momentum cycles inversely. After `total_steps` the last value stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    /// Maximum learning rate; torch has no default.
    pub max_lr: f64,
    /// Number of steps of the cycle; default: those of the run.
    #[schemars(range(min = 1))]
    pub total_steps: Option<u64>,
    /// The fraction of the steps in which the learning rate increases.
    #[schemars(range(min = 0, max = 1))]
    pub pct_start: f64,
    /// The shape of increase and decrease.
    pub anneal_strategy: Anneal,
    /// Cycle the optimizer's `momentum`, or the first of its `betas`, inversely to the learning rate.
    pub cycle_momentum: bool,
    /// Minimum momentum.
    #[schemars(range(min = 0))]
    pub base_momentum: f64,
    /// Maximum momentum, at which training starts.
    #[schemars(transform = positive)]
    pub max_momentum: f64,
    /// The initial learning rate is `max_lr / div_factor`.
    pub div_factor: f64,
    /// The final learning rate is the initial one divided by this.
    pub final_div_factor: f64,
    /// Decrease to the initial learning rate first, symmetrically to the increase, then to the final one.
    pub three_phase: bool,
}

impl Default for OneCycle {
    fn default() -> Self {
        Self {
            max_lr: 1e-2,
            total_steps: None,
            pct_start: 0.3,
            anneal_strategy: Anneal::Cos,
            cycle_momentum: true,
            base_momentum: 0.85,
            max_momentum: 0.95,
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
        }
    }
}

/// The shape of increase and decrease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Half a cosine.
    Cos,
    /// A straight line.
    Linear,
}

impl OneCycle {
    /// Its own learning rates.
    fn own_lrs(&self) -> LrBounds {
        let start = self.max_lr / self.div_factor;
        LrBounds { start, max: self.max_lr, end: start / self.final_div_factor }
    }

    fn lr_between(&self, LrBounds { start, max, end }: LrBounds, k: u64) -> f64 {
        self.at(k, start, max, end)
    }

    fn momentum_between(&self, MomentumBounds { base, max }: MomentumBounds, k: u64) -> f64 {
        self.at(k, max, base, max)
    }

    /// The value at step `k` of a quantity that goes from `start` to `peak` and on to `end`.
    fn at(&self, k: u64, start: f64, peak: f64, end: f64) -> f64 {
        let total = count(self.total_steps.unwrap_or(1));
        let rise = self.pct_start * total - 1.0;
        let phases: &[(f64, f64, f64)] = if self.three_phase {
            &[
                (rise, start, peak),
                (2.0 * self.pct_start * total - 2.0, peak, start),
                (total - 1.0, start, end),
            ]
        } else {
            &[(rise, start, peak), (total - 1.0, peak, end)]
        };
        let k = count(k).min(total - 1.0);
        let mut begin = 0.0;
        for &(finish, from, to) in phases {
            if k <= finish {
                return self.between(from, to, (k - begin) / (finish - begin));
            }
            begin = finish;
        }
        end
    }

    fn between(&self, from: f64, to: f64, share: f64) -> f64 {
        match self.anneal_strategy {
            Anneal::Cos => to + (from - to) / 2.0 * (1.0 + (std::f64::consts::PI * share).cos()),
            Anneal::Linear => (to - from) * share + from,
        }
    }
}

impl Schedule for OneCycle {
    fn check(&self) -> Result<(), KeyError> {
        super::check_at_least_one("total_steps", self.total_steps.unwrap_or(1))?;
        if !(0.0..=1.0).contains(&self.pct_start) {
            return Err(KeyError::new("pct_start", format!("is {}; it is a share, 0 to 1", self.pct_start)));
        }
        super::check_momenta(self.base_momentum, self.max_momentum)
    }

    fn fill(&mut self, steps: u64) {
        self.total_steps.get_or_insert(steps.max(1));
    }

    fn lengths(&self) -> Vec<Length> {
        Length::to_the_end("total_steps", self.total_steps)
    }

    fn lr(&self, _: f64, k: u64) -> f64 {
        self.lr_between(self.own_lrs(), k)
    }

    fn lr_in(&self, group: &ParamGroup, k: u64) -> f64 {
        self.lr_between(group.cycles.lr.unwrap_or_else(|| self.own_lrs()), k)
    }

    fn momentum(&self, k: u64) -> Option<f64> {
        self.momentum_bounds().map(|own| self.momentum_between(own, k))
    }

    fn momentum_in(&self, cycles: &CycleBounds, k: u64) -> Option<f64> {
        self.momentum_bounds().map(|own| self.momentum_between(cycles.momentum.unwrap_or(own), k))
    }

    fn momentum_bounds(&self) -> Option<MomentumBounds> {
        let Self { base_momentum: base, max_momentum: max, .. } = *self;
        self.cycle_momentum.then_some(MomentumBounds { base, max })
    }

    fn lr_bounds(&self) -> Option<LrBounds> {
        Some(self.own_lrs())
    }

    fn initial_lr(&self, _: f64, _: Option<f64>) -> f64 {
        self.own_lrs().start
    }
}
