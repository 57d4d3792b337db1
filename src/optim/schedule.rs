//! Learning rate schedules: pure functions of the step, by the names of `torch.optim.lr_scheduler` in snake case.
//!
//! torch computes most of them from the last learning rate; the closed forms here equal that up to rounding.

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

use crate::registry;
use crate::registry::{FromTable, KeyError, schema};

/// How the learning rate goes.
pub trait Schedule {
    /// Refuses options that cannot be, by the key at fault.
    fn check(&self) -> Result<(), KeyError>;

    /// The learning rate after `k` steps of the schedule, from the optimizer's own `base`.
    fn lr(&self, base: f64, k: u64) -> f64;

    /// The momentum, or Adam's β₁, where the schedule moves it.
    fn momentum(&self, _k: u64) -> Option<f64> {
        None
    }

    /// The options of the one schedule that follows a metric.
    fn plateau(&self) -> Option<&reduce_on_plateau::ReduceOnPlateau> {
        None
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

/// `[schedule]`: a schedule, when it steps, and a warm-up in front.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The schedule; none: the learning rate stays.
    pub schedule: Option<Schedules>,
    /// When the schedule steps, and how the learning rate warms up.
    pub timing: Timing,
}

/// The options that every schedule has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// When the schedule steps: after each epoch, as most PyTorch scripts have it, or after each update.
    pub interval: Interval,
    /// For so many updates the learning rate rises in a straight line to what the schedule says.
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

    /// Learning rate and momentum of update `step` in `epoch`, both counted from 1, after so many `reductions` on
    /// plateaus.
    pub fn at(&self, base: f64, (step, epoch, reductions): (u64, u64, u64)) -> (f64, Option<f64>) {
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
        (lr * warm, momentum)
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
        // A warm-up alone needs no schedule behind it.
        outline.remove("required");
        let alone = json!({ "if": { "required": ["name"] }, "else": Timing::json_schema(generator) });
        let plan = schema::cases(outline, &entries);
        json_schema!({ "allOf": [plan, alone] })
    }
}

/// Whether the schedule of this name is no function of the step.
fn follows_a_metric(name: &str) -> bool {
    let table = toml::Table::from_iter([("name".to_owned(), name.into())]);
    Schedules::from_table(table).is_ok_and(|schedule| schedule.plateau().is_some())
}

impl FromTable for Plan {
    fn from_table(mut table: toml::Table) -> Result<Self, KeyError> {
        let shared = ["interval", "warmup_steps"].iter().filter_map(|key| table.remove_entry(*key)).collect();
        let timing = registry::decode(shared)?;
        // A warm-up alone needs no schedule behind it.
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

fn check_at_least_one(key: &str, value: u64) -> Result<(), KeyError> {
    if value > 0 { Ok(()) } else { Err(KeyError::new(key, "is 0; it must be 1 or more")) }
}
