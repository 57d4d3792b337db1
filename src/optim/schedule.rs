//! Learning rate schedules: pure functions of the step, by the names of `torch.optim.lr_scheduler` in snake case, and those
//! of pytabkit that torch lacks.
//!
//! torch computes most of them recursively from the last learning rate; the closed forms here are equal up to rounding.

mod checks;
pub mod constant;
pub mod cosine_annealing;
pub mod cosine_annealing_warm_restarts;
pub mod coslog4;
pub mod cyclic;
mod declining;
pub mod exponential;
pub mod flat_cos;
mod length;
pub mod linear;
pub mod multi_step;
pub mod one_cycle;
mod param_group;
mod plan;
pub mod polynomial;
pub mod reduce_on_plateau;
pub mod sequential;
pub mod step;

use serde::{Deserialize, Deserializer};

pub use declining::Declining;
pub use length::{AfterLength, Length, Misfit, RunLength, ScheduleSpan};
pub use param_group::{CycleBounds, LrBounds, MomentumBounds, ParamGroup};
pub use plan::{Interval, Rates, SchedulePlan, ScheduleTime, Timing};

use crate::registry;
use crate::registry::{FromTable, KeyError};
use checks::{check_at_least_one, check_momenta};

/// A learning-rate schedule.
pub trait Schedule {
    /// Validates the options; the error names the key.
    fn check(&self) -> Result<(), KeyError>;

    /// The learning rate after `k` steps of the schedule, from the optimizer's own `base`.
    fn lr(&self, base: f64, k: u64) -> f64;

    /// The momentum after `k` steps, where the schedule cycles it.
    fn momentum(&self, _k: u64) -> Option<f64> {
        None
    }

    /// The momenta between which it cycles, where it does: of several schedules those of the last that does.
    fn momentum_bounds(&self) -> Option<MomentumBounds> {
        None
    }

    /// The bounds of every schedule that cycles momentum: several where it is made of other schedules.
    fn momentum_cycles(&self) -> Vec<MomentumCycle> {
        let own = self.momentum_bounds().map(|bounds| MomentumCycle { path: String::new(), bounds });
        own.into_iter().collect()
    }

    /// The `initial_lr` of the optimizer's param group after it was made, from the group's learning rate and the
    /// `initial_lr` that schedules before it have `recorded`.
    fn initial_lr(&self, lr: f64, recorded: Option<f64>) -> f64 {
        recorded.unwrap_or(lr)
    }

    /// The learning rates of a `one_cycle`: of several schedules those of the last that is one.
    fn lr_bounds(&self) -> Option<LrBounds> {
        None
    }

    /// As [`Self::lr`], of a schedule in a sequence.
    fn lr_in(&self, group: &ParamGroup, k: u64) -> f64 {
        self.lr(group.lr, k)
    }

    /// As [`Self::momentum`], of a schedule in a sequence.
    fn momentum_in(&self, _cycles: &CycleBounds, k: u64) -> Option<f64> {
        self.momentum(k)
    }

    /// Sets a length that is left out to this number of steps.
    fn fill(&mut self, _steps: u64) {}

    /// The lengths that it has.
    fn lengths(&self) -> Vec<Length> {
        Vec::new()
    }

    /// The lengths that do not fit the steps for which it runs.
    fn misfits(&self, span: ScheduleSpan<'_>) -> Vec<Misfit> {
        self.lengths().iter().filter_map(|length| length.misfit(span)).collect()
    }

    /// The options of the one schedule that follows a metric.
    fn plateau(&self) -> Option<&reduce_on_plateau::ReduceOnPlateau> {
        None
    }
}

/// The bounds of a momentum that a schedule cycles.
#[derive(Debug, Clone, PartialEq)]
pub struct MomentumCycle {
    /// The table that has the options, relative to `[schedule]`: empty for that one itself.
    pub path: String,
    /// The bounds.
    pub bounds: MomentumBounds,
}

impl MomentumCycle {
    /// The cycle as seen from a list of schedules, in which it is at `index`.
    fn under(self, index: usize) -> Self {
        let inner = if self.path.is_empty() { String::new() } else { format!(".{}", self.path) };
        Self { path: format!("schedules[{index}]{inner}"), ..self }
    }

    /// An error at the option `key` of the table that has this cycle.
    fn error(&self, key: &str, problem: String) -> KeyError {
        let table = if self.path.is_empty() { String::new() } else { format!("{}.", self.path) };
        KeyError::new(format!("schedule.{table}{key}"), problem)
    }
}

registry! {
    /// The known schedules, by `schedule.name`.
    pub enum Schedules: "schedule", Schedule {
        "constant" => Constant(constant::Constant),
        "linear" => Linear(linear::LinearLr),
        "step" => Step(step::StepLr),
        "multi_step" => MultiStep(multi_step::MultiStep),
        "exponential" => Exponential(exponential::Exponential),
        "polynomial" => Polynomial(polynomial::Polynomial),
        "cosine_annealing" => CosineAnnealing(cosine_annealing::CosineAnnealing),
        "cosine_annealing_warm_restarts" =>
            CosineAnnealingWarmRestarts(cosine_annealing_warm_restarts::CosineAnnealingWarmRestarts),
        "coslog4" => Coslog4(coslog4::Coslog4),
        "flat_cos" => FlatCos(flat_cos::FlatCos),
        "cyclic" => Cyclic(cyclic::Cyclic),
        "one_cycle" => OneCycle(one_cycle::OneCycle),
        "reduce_on_plateau" => ReduceOnPlateau(reduce_on_plateau::ReduceOnPlateau),
        "sequential" => Sequential(sequential::Sequential),
    }
}

impl<'de> Deserialize<'de> for Schedules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = toml::Table::deserialize(deserializer)?;
        Self::from_table(table).map_err(|e| registry::inside(&e))
    }
}

#[allow(clippy::cast_precision_loss, reason = "2^53 steps are not reached")]
fn count(steps: u64) -> f64 {
    steps as f64
}
