//! Learning rate schedules: pure functions of the step, by the names of `torch.optim.lr_scheduler` in snake case.
//!
//! torch computes most of them recursively from the last learning rate; the closed forms here are equal up to rounding.

pub mod constant;
pub mod cosine_annealing;
pub mod cosine_annealing_warm_restarts;
pub mod cyclic;
pub mod exponential;
pub mod linear;
pub mod multi_step;
pub mod one_cycle;
pub mod polynomial;
pub mod reduce_on_plateau;
pub mod sequential;
pub mod step;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::{Grouped, Rule};
use crate::registry;
use crate::registry::{FromTable, KeyError, schema};

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

    /// The momenta between which it cycles, where it does: several where it is made of other schedules.
    fn momentum_cycles(&self) -> Vec<MomentumCycle> {
        Vec::new()
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
    /// `base_momentum`
    pub base: f64,
    /// `max_momentum`, at which training starts.
    pub max: f64,
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
        "linear" => Linear(linear::Linear),
        "step" => Step(step::Step),
        "multi_step" => MultiStep(multi_step::MultiStep),
        "exponential" => Exponential(exponential::Exponential),
        "polynomial" => Polynomial(polynomial::Polynomial),
        "cosine_annealing" => CosineAnnealing(cosine_annealing::CosineAnnealing),
        "cosine_annealing_warm_restarts" =>
            CosineAnnealingWarmRestarts(cosine_annealing_warm_restarts::CosineAnnealingWarmRestarts),
        "cyclic" => Cyclic(cyclic::Cyclic),
        "one_cycle" => OneCycle(one_cycle::OneCycle),
        "reduce_on_plateau" => ReduceOnPlateau(reduce_on_plateau::ReduceOnPlateau),
        "sequential" => Sequential(sequential::Sequential),
    }
}

impl<'de> Deserialize<'de> for Schedules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = toml::Table::deserialize(deserializer)?;
        Self::from_table(table).map_err(|e| D::Error::custom(format!("{}: {}", e.path, e.problem)))
    }
}

/// `[schedule]`: a schedule, when it steps, and a warm-up before it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The schedule; none keeps the learning rate constant.
    pub schedule: Option<Schedules>,
    /// When the schedule steps, and the warm-up.
    pub timing: Timing,
}

/// When an update is made, as a schedule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleTime {
    /// The update, counted from 1.
    pub step: u64,
    /// The epoch it lies in, counted from 1.
    pub epoch: u64,
    /// How often `reduce_on_plateau` has lowered the learning rate.
    pub reductions: u64,
}

impl ScheduleTime {
    /// The first update.
    pub const FIRST: Self = Self { step: 1, epoch: 1, reductions: 0 };
}

/// What a schedule sets at one update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// The learning rate.
    pub lr: f64,
    /// The momentum, or the first of the betas, where the schedule cycles it.
    pub momentum: Option<f64>,
}

/// The options that every schedule has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// Step the schedule after each epoch, as most PyTorch scripts do, or after each update.
    pub interval: Interval,
    /// Number of updates over which the learning rate increases linearly to the schedule's.
    pub warmup_steps: u64,
}

/// When a schedule steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// After each epoch.
    #[default]
    Epoch,
    /// After each update.
    Step,
}

impl Plan {
    /// The options of `reduce_on_plateau`, where that is the schedule.
    pub fn plateau(&self) -> Option<&reduce_on_plateau::ReduceOnPlateau> {
        self.schedule.as_ref().and_then(|schedule| schedule.plateau())
    }

    /// Validates that every rule has the momentum that the schedule cycles.
    pub fn check_optimizer(&self, options: &Grouped) -> Result<(), KeyError> {
        let groups = options.groups.iter().filter(|group| !group.frozen).map(|group| &group.rule);
        std::iter::once(&options.rule)
            .chain(groups)
            .try_for_each(|rule| self.start_momentum(&mut rule.clone()))
    }

    /// Sets the optimizer's `momentum` or `betas[0]` to the one with which the schedule starts, as torch's schedulers do.
    ///
    /// # Errors
    /// An optimizer that has neither, and a momentum that it does not take.
    pub fn start_momentum(&self, rule: &mut Rule) -> Result<(), KeyError> {
        let Some(schedule) = &self.schedule else { return Ok(()) };
        let name = rule.name();
        for cycle in schedule.momentum_cycles() {
            for (key, value) in [("base_momentum", cycle.base), ("max_momentum", cycle.max)] {
                let Some(momentum) = rule.momentum_mut() else {
                    let problem = format!(
                        "is true, but `{name}` has neither `momentum` nor `betas`; set `cycle_momentum = false`"
                    );
                    return Err(cycle.error("cycle_momentum", problem));
                };
                *momentum = value;
                if value == 0.0 {
                    continue;
                }
                rule.validate().map_err(|e| {
                    let problem =
                        format!("is true and sets `{}` of `{name}` to `{key}`, which {}", e.path, e.problem);
                    cycle.error("cycle_momentum", problem)
                })?;
            }
        }
        if let (Some(own), Some(start)) = (rule.momentum_mut(), schedule.momentum(0)) {
            *own = start;
        }
        Ok(())
    }

    /// The rates of an update at this time, from the learning rate `base` of an optimizer's options.
    pub fn at(&self, base: f64, time: ScheduleTime) -> Rates {
        let ScheduleTime { step, epoch, reductions } = time;
        let Timing { interval, warmup_steps } = self.timing;
        let k = match interval {
            _ if self.plateau().is_some() => reductions,
            Interval::Epoch => epoch - 1,
            Interval::Step => step - 1,
        };
        let (lr, momentum) = match &self.schedule {
            Some(schedule) => (schedule.lr(base, k), schedule.momentum(k)),
            None => (base, None),
        };
        let warm = if step < warmup_steps { count(step) / count(warmup_steps) } else { 1.0 };
        Rates { lr: lr * warm, momentum }
    }
}

impl JsonSchema for Plan {
    fn schema_name() -> Cow<'static, str> {
        "Plan".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let timing = schema::properties::<Timing>(generator);
        let mut entries = Schedules::schemas(generator);
        for entry in &mut entries {
            schema::add(entry, timing.clone());
            if follows_a_metric(schema::name_of(entry))
                && let Some(Value::Object(interval)) = entry.pointer_mut("/properties/interval")
            {
                interval.insert("const".to_owned(), "epoch".into());
            }
        }
        let mut outline = schema::outline(&entries);
        // A warm-up needs no schedule.
        outline.remove("required");
        let alone = json!({ "if": { "required": ["name"] }, "else": Timing::json_schema(generator) });
        let plan = schema::cases(outline, &entries);
        json_schema!({ "allOf": [plan, alone] })
    }
}

/// Whether the schedule of this name depends on a metric.
fn follows_a_metric(name: &str) -> bool {
    let table = toml::Table::from_iter([("name".to_owned(), name.into())]);
    Schedules::from_table(table).is_ok_and(|schedule| schedule.plateau().is_some())
}

impl FromTable for Plan {
    fn from_table(mut table: toml::Table) -> Result<Self, KeyError> {
        let shared = ["interval", "warmup_steps"].iter().filter_map(|key| table.remove_entry(*key)).collect();
        let timing = registry::decode(shared)?;
        // A warm-up needs no schedule.
        if table.is_empty() {
            return Ok(Self { schedule: None, timing });
        }
        let schedule = Schedules::from_table(table)?;
        schedule.check()?;
        if schedule.plateau().is_some() && timing.interval == Interval::Step {
            let problem = "is \"step\", but a metric is known after an epoch; leave it out";
            return Err(KeyError::new("interval", problem));
        }
        Ok(Self { schedule: Some(schedule), timing })
    }
}

#[allow(clippy::cast_precision_loss, reason = "2^53 steps are not reached")]
fn count(steps: u64) -> f64 {
    steps as f64
}

/// Validates the bounds of a momentum that cycles. It starts at the largest, where an optimizer makes its buffer.
fn check_momenta(base: f64, max: f64) -> Result<(), KeyError> {
    super::check_non_negative(&[("base_momentum", base)])?;
    if max.is_finite() && max > 0.0 {
        return Ok(());
    }
    Err(KeyError::new("max_momentum", format!("is {max}; it must be a finite number, more than 0")))
}

fn check_at_least_one(key: &str, value: u64) -> Result<(), KeyError> {
    if value > 0 { Ok(()) } else { Err(KeyError::new(key, "is 0; it must be 1 or more")) }
}
