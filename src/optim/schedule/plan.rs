//! `[schedule]`: a schedule, when it steps, and the warm-up before it.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::length::{AfterLength, Length, Misfit, RunLength, ScheduleSpan};
use super::{Declining, Schedule, Schedules, count, reduce_on_plateau};
use crate::optim::{Grouped, Rule};
use crate::registry;
use crate::registry::{FromTable, KeyError, schema};

/// `[schedule]`: a schedule, when it steps, and a warm-up before it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SchedulePlan {
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
    /// The epoch of the update, counted from 1.
    pub epoch: u64,
    /// The number of times that `reduce_on_plateau` has lowered the learning rate.
    pub reductions: u64,
}

impl ScheduleTime {
    /// The first update.
    pub const FIRST: Self = Self { step: 1, epoch: 1, reductions: 0 };
}

/// The rates that a schedule sets at one update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// The learning rate.
    pub lr: f64,
    /// The momentum, or the first of the betas, where the schedule cycles it.
    pub momentum: Option<f64>,
    /// The factor of weight decay.
    pub weight_decay: f64,
    /// The factor of the probabilities of dropout.
    pub dropout: f64,
}

/// The options that every schedule has.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// Step the schedule after each epoch, as most PyTorch scripts do, or after each update.
    pub interval: Interval,
    /// Number of updates over which the learning rate increases linearly to the schedule's.
    pub warmup_steps: u64,
    /// The decline of weight decay: `flat_cos`, constant and from half of the run on half a cosine down to 0; default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<Declining>,
    /// The decline of the probabilities of dropout: `flat_cos`; default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<Declining>,
}

impl Timing {
    /// The declining quantities by their keys.
    fn declining(&self) -> impl Iterator<Item = (&'static str, &Declining)> {
        let all = [("weight_decay", &self.weight_decay), ("dropout", &self.dropout)];
        all.into_iter().filter_map(|(key, declining)| Some((key, declining.as_ref()?)))
    }
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

impl SchedulePlan {
    /// The options of `reduce_on_plateau`, where that is the schedule.
    pub fn plateau(&self) -> Option<&reduce_on_plateau::ReduceOnPlateau> {
        self.schedule.as_ref().and_then(|schedule| schedule.plateau())
    }

    /// Validates the options; an error names the key.
    pub fn check(&self) -> Result<(), KeyError> {
        self.schedule.as_ref().map_or(Ok(()), |schedule| schedule.check())?;
        if self.plateau().is_some() && self.timing.interval == Interval::Step {
            let problem = "is \"step\", but a metric is known after an epoch; leave it out";
            return Err(KeyError::new("interval", problem));
        }
        Ok(())
    }

    /// Validates that every rule has the momentum that the schedule cycles.
    pub fn check_optimizer(&self, options: &Grouped) -> Result<(), KeyError> {
        let groups = options.groups.iter().filter(|group| !group.frozen).map(|group| &group.rule);
        let mut all = std::iter::once(&options.rule).chain(groups.clone());
        if self.timing.weight_decay.is_some() && all.any(|rule| matches!(rule, Rule::Lamb(_))) {
            let problem = "is set, but the weight decay of `lamb` is a part of its direction; leave it out, or take `adamw`";
            return Err(KeyError::new("schedule.weight_decay", problem));
        }
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
            for (key, value) in [("base_momentum", cycle.bounds.base), ("max_momentum", cycle.bounds.max)] {
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
        let Timing { interval, warmup_steps, weight_decay, dropout } = self.timing;
        let steps = match interval {
            Interval::Epoch => epoch - 1,
            Interval::Step => step - 1,
        };
        let k = if self.plateau().is_some() { reductions } else { steps };
        let (lr, momentum) = match &self.schedule {
            Some(schedule) => (schedule.lr(base, k), schedule.momentum(k)),
            None => (base, None),
        };
        let warm = if step < warmup_steps { count(step) / count(warmup_steps) } else { 1.0 };
        let factor =
            |declining: Option<Declining>| declining.map_or(1.0, |declining| declining.factor(steps));
        Rates { lr: lr * warm, momentum, weight_decay: factor(weight_decay), dropout: factor(dropout) }
    }
}

impl JsonSchema for SchedulePlan {
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

impl FromTable for SchedulePlan {
    fn from_table(mut table: toml::Table) -> Result<Self, KeyError> {
        let shared = ["interval", "warmup_steps", "weight_decay", "dropout"]
            .iter()
            .filter_map(|key| table.remove_entry(*key))
            .collect();
        let timing = registry::decode(shared)?;
        // A warm-up needs no schedule.
        if table.is_empty() {
            return Ok(Self { schedule: None, timing });
        }
        let plan = Self { schedule: Some(Schedules::from_table(table)?), timing };
        plan.check()?;
        Ok(plan)
    }
}

impl SchedulePlan {
    /// The plan of a run of this length: lengths that are left out are the run's.
    #[must_use]
    pub fn filled(mut self, run: RunLength) -> Self {
        let steps = self.span(run).steps;
        if let Some(schedule) = &mut self.schedule {
            schedule.fill(steps);
        }
        let Timing { weight_decay, dropout, .. } = &mut self.timing;
        [weight_decay, dropout].into_iter().flatten().for_each(|declining| declining.0.fill(steps));
        self
    }

    /// The lengths that the run does not reach.
    ///
    /// # Errors
    /// A length that ends before the run, with the number to write.
    pub fn check_length(&self, run: RunLength) -> Result<Vec<KeyError>, KeyError> {
        let span = self.span(run);
        let own = self.schedule.iter().flat_map(|schedule| schedule.misfits(span));
        let warmup =
            Length { key: "warmup_steps", steps: self.timing.warmup_steps, end: AfterLength::Steady };
        let warmup = warmup.misfit(ScheduleSpan { steps: run.updates, unit: "updates", ..span });
        let own = own.map(|misfit| self.with_interval(misfit, run));
        let declining = self.timing.declining().flat_map(|(key, declining)| {
            declining.0.misfits(span).into_iter().map(move |misfit| misfit.under(key))
        });
        let misfits: Vec<Misfit> =
            own.chain(warmup).chain(declining).map(|misfit| misfit.under("schedule")).collect();
        match misfits.iter().find(|misfit| misfit.is_short) {
            Some(short) => Err(short.error.clone()),
            None => Ok(misfits.into_iter().map(|misfit| misfit.error).collect()),
        }
    }

    /// A length that the run's epochs do not reach may count updates, as torch's scripts do that step after each batch.
    fn with_interval(&self, mut misfit: Misfit, RunLength { updates, .. }: RunLength) -> Misfit {
        if self.timing.interval == Interval::Epoch && !misfit.is_short {
            let hint = format!("of which the run has {updates}, set `schedule.interval = \"step\"`");
            misfit.error.problem = format!("{}; where it counts updates, {hint}", misfit.error.problem);
        }
        misfit
    }

    fn span(&self, RunLength { epochs, updates }: RunLength) -> ScheduleSpan<'static> {
        let whose = "the run has";
        match self.timing.interval {
            Interval::Epoch => ScheduleSpan { steps: epochs, unit: "epochs", whose },
            Interval::Step => ScheduleSpan { steps: updates, unit: "updates", whose },
        }
    }
}
