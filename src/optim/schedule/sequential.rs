//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html>

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Schedule, Schedules};
use crate::registry::KeyError;

/// One schedule after the other: `schedules = [{ name = "linear" }, { name = "cosine_annealing", T_max = 10 }]`,
/// where the next begins, at its own step 0, at each of the `milestones`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sequential {
    /// The schedules, each a table as `[schedule]` would be.
    #[schemars(transform = without_plateau)]
    pub schedules: Vec<Schedules>,
    /// The steps at which the next one begins: one fewer than schedules.
    pub milestones: Vec<u64>,
}

/// Refuses the schedule that follows no plan.
fn without_plateau(schedules: &mut Schema) {
    if let Some(Value::Object(schedule)) = schedules.get_mut("items") {
        let names = json!({ "not": { "const": "reduce_on_plateau" } });
        schedule.insert("properties".to_owned(), json!({ "name": names }));
    }
}

impl Sequential {
    /// The schedule that runs at step `k`, and its own step.
    fn at(&self, k: u64) -> Option<(&Schedules, u64)> {
        let passed = self.milestones.iter().filter(|milestone| **milestone <= k).count();
        let begin = passed.checked_sub(1).map_or(0, |last| self.milestones[last]);
        Some((self.schedules.get(passed)?, k - begin))
    }
}

impl Schedule for Sequential {
    fn check(&self) -> Result<(), KeyError> {
        if self.schedules.len() != self.milestones.len() + 1 {
            let problem = format!(
                "has {} numbers for {} schedules; it takes one fewer than schedules",
                self.milestones.len(),
                self.schedules.len()
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

    fn lr(&self, base: f64, k: u64) -> f64 {
        self.at(k).map_or(base, |(schedule, k)| schedule.lr(base, k))
    }

    fn momentum(&self, k: u64) -> Option<f64> {
        self.at(k).and_then(|(schedule, k)| schedule.momentum(k))
    }
}
