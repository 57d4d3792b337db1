//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html>

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::length::milestone_misfits;
use super::{
    CycleBounds, LrBounds, Misfit, MomentumBounds, MomentumCycle, ParamGroup, Schedule, ScheduleSpan,
    Schedules,
};
use crate::names::counted;
use crate::registry::KeyError;

/// Schedules in sequence: `schedules = [{ name = "linear" }, { name = "cosine_annealing", T_max = 10 }]`,
/// where the next one starts, at its own step 0, at each of the `milestones`. As in torch, they start from the learning rate
/// of a `one_cycle` or a first `cyclic` among them, where there is one, instead of the optimizer's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sequential {
    /// The schedules, each a table as `[schedule]` would be.
    #[schemars(transform = without_plateau)]
    pub schedules: Vec<Schedules>,
    /// The steps at which the next schedule starts: one fewer than schedules.
    pub milestones: Vec<u64>,
}

/// The schedule that runs.
struct Current<'a> {
    index: usize,
    schedule: &'a Schedules,
    /// The steps since it began.
    step: u64,
}

/// The `initial_lr` that these schedules leave when they are made, of an optimizer with the learning rate `lr`.
fn initial_lr(schedules: &[Schedules], lr: f64, recorded: Option<f64>) -> f64 {
    let made = |recorded, schedule: &Schedules| Some(schedule.initial_lr(lr, recorded));
    schedules.iter().fold(recorded, made).unwrap_or(lr)
}

/// Schema: no `reduce_on_plateau`.
fn without_plateau(schedules: &mut Schema) {
    if let Some(Value::Object(schedule)) = schedules.get_mut("items") {
        let names = json!({ "not": { "const": "reduce_on_plateau" } });
        schedule.insert("properties".to_owned(), json!({ "name": names }));
    }
}

impl Sequential {
    /// The index of the schedule that runs at step `k`.
    fn index_at(&self, k: u64) -> usize {
        self.milestones.iter().filter(|milestone| **milestone <= k).count()
    }

    /// The step at which a schedule begins.
    fn begin(&self, index: usize) -> u64 {
        index.checked_sub(1).map_or(0, |last| self.milestones[last])
    }

    /// The number of steps for which a schedule runs, out of `all`.
    fn steps_of(&self, index: usize, all: u64) -> u64 {
        let end = self.milestones.get(index).map_or(all, |milestone| all.min(*milestone));
        end.saturating_sub(self.begin(index))
    }

    /// The schedule that runs at step `k`.
    fn at(&self, k: u64) -> Option<Current<'_>> {
        let index = self.index_at(k);
        Some(Current { index, schedule: self.schedules.get(index)?, step: k - self.begin(index) })
    }

    /// The bounds that its cycles share.
    fn cycles(&self) -> CycleBounds {
        CycleBounds { lr: self.lr_bounds(), momentum: self.momentum_bounds() }
    }

    /// The param group of the schedule at `index`, of an optimizer with the learning rate `base`.
    fn group(&self, base: f64, index: usize) -> ParamGroup {
        let base_lr = initial_lr(&self.schedules[..=index], base, None);
        // torch sets the learning rate back to `initial_lr` when all are made, and each but the first to its `base_lrs`
        // when it begins.
        let is_first = index == self.index_at(0);
        let lr = if is_first { initial_lr(&self.schedules, base, None) } else { base_lr };
        ParamGroup { base_lr, lr, cycles: self.cycles() }
    }
}

impl Schedule for Sequential {
    fn check(&self) -> Result<(), KeyError> {
        if self.schedules.len() != self.milestones.len() + 1 {
            let problem = format!(
                "has {} for {}; it takes one fewer than schedules",
                counted(self.milestones.len(), "number"),
                counted(self.schedules.len(), "schedule")
            );
            return Err(KeyError::new("milestones", problem));
        }
        if self.milestones.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(KeyError::new("milestones", "must rise from one to the next"));
        }
        let check = |(index, schedule): (usize, &Schedules)| {
            if schedule.plateau().is_some() {
                let problem = "cannot be `reduce_on_plateau`, which follows no plan";
                return Err(KeyError::new(format!("schedules[{index}].name"), problem));
            }
            schedule.check().map_err(|e| e.under(&format!("schedules[{index}]")))
        };
        self.schedules.iter().enumerate().try_for_each(check)
    }

    fn fill(&mut self, steps: u64) {
        let spans: Vec<u64> = (0..self.schedules.len()).map(|index| self.steps_of(index, steps)).collect();
        self.schedules.iter_mut().zip(spans).for_each(|(schedule, span)| schedule.fill(span));
    }

    fn misfits(&self, span: ScheduleSpan<'_>) -> Vec<Misfit> {
        let mut misfits = milestone_misfits(&self.milestones, span);
        for (index, schedule) in self.schedules.iter().enumerate() {
            let steps = self.steps_of(index, span.steps);
            // One that never begins has its milestone to blame.
            if steps > 0 {
                let own = schedule.misfits(ScheduleSpan { steps, whose: "it runs for", ..span });
                misfits.extend(own.into_iter().map(|misfit| misfit.under(&format!("schedules[{index}]"))));
            }
        }
        misfits
    }

    /// A sequence within a sequence starts from the learning rate and the bounds of the outer one; in torch none can begin at a
    /// milestone.
    fn lr(&self, base: f64, k: u64) -> f64 {
        let lr =
            |Current { index, schedule, step }: Current<'_>| schedule.lr_in(&self.group(base, index), step);
        self.at(k).map_or(base, lr)
    }

    /// A schedule that does not cycle momentum leaves it as the one before did. torch's schedulers set it when they are
    /// made, so that before the first that cycles it is where the last of them starts.
    fn momentum(&self, k: u64) -> Option<f64> {
        let (cycles, current) = (self.cycles(), self.index_at(k));
        let mut until = k;
        for index in (0..=current).rev() {
            let momentum = self.schedules.get(index)?.momentum_in(&cycles, until - self.begin(index));
            if momentum.is_some() {
                return momentum;
            }
            until = self.begin(index).saturating_sub(1);
        }
        self.schedules.iter().rev().find_map(|schedule| schedule.momentum(0))
    }

    fn momentum_bounds(&self) -> Option<MomentumBounds> {
        self.schedules.iter().rev().find_map(|schedule| schedule.momentum_bounds())
    }

    fn initial_lr(&self, lr: f64, recorded: Option<f64>) -> f64 {
        initial_lr(&self.schedules, lr, recorded)
    }

    fn lr_bounds(&self) -> Option<LrBounds> {
        self.schedules.iter().rev().find_map(|schedule| schedule.lr_bounds())
    }

    fn momentum_cycles(&self) -> Vec<MomentumCycle> {
        let own = |(index, schedule): (usize, &Schedules)| {
            schedule.momentum_cycles().into_iter().map(move |cycle| cycle.under(index)).collect::<Vec<_>>()
        };
        self.schedules.iter().enumerate().flat_map(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::FromTable;

    /// torch 2.15's `momentum` at each step of SGD under the `SequentialLR` of the test below.
    const TORCH: [f64; 10] = [0.9, 0.9, 0.7, 0.6, 0.5, 0.5, 0.5, 0.9, 0.75, 0.6];

    #[test]
    fn momentum_stays_where_the_last_cycle_left_it() {
        let cyclic = "name = 'cyclic', step_size_up = 2";
        let text = format!(
            "name = 'sequential'\nmilestones = [2, 5, 7]\nschedules = [{{ name = 'constant' }}, \
             {{ {cyclic}, base_momentum = 0.5, max_momentum = 0.7 }}, {{ name = 'constant' }}, \
             {{ {cyclic}, base_momentum = 0.6, max_momentum = 0.9 }}]"
        );
        let schedule = Schedules::from_table(text.parse().unwrap()).unwrap();
        for (k, expected) in (0..).zip(TORCH) {
            let momentum = schedule.momentum(k).unwrap();
            assert!((momentum - expected).abs() < 1e-12, "{k}: {momentum}");
        }
    }
}
