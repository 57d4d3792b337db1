//! `RealMLP`'s schedule of dropout and weight decay: Holzmüller et al. 2024, <https://arxiv.org/abs/2407.04491>, and
//! pytabkit's `flat_cos`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Length, ParamGroup, Schedule, count};
use crate::registry::KeyError;

/// The learning rate itself for a fraction `flat` of the steps, then half a cosine down to 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FlatCos {
    /// Number of steps; default: those of the run.
    #[schemars(range(min = 1))]
    pub total_steps: Option<u64>,
    /// The fraction of them before the cosine.
    #[schemars(transform = crate::registry::schema::below_one)]
    pub flat: f64,
}

impl Default for FlatCos {
    fn default() -> Self {
        Self { total_steps: None, flat: 0.5 }
    }
}

impl Schedule for FlatCos {
    fn check(&self) -> Result<(), KeyError> {
        if !(0.0..1.0).contains(&self.flat) {
            let problem = format!("is {}; give a fraction from 0 to less than 1", self.flat);
            return Err(KeyError::new("flat", problem));
        }
        super::check_at_least_one("total_steps", self.total_steps.unwrap_or(1))
    }

    fn fill(&mut self, steps: u64) {
        self.total_steps.get_or_insert(steps.max(1));
    }

    fn lengths(&self) -> Vec<Length> {
        Length::to_the_end("total_steps", self.total_steps)
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        let done = (count(k) / count(self.total_steps.unwrap_or(1))).min(1.0);
        let down = ((done - self.flat) / (1.0 - self.flat)).max(0.0);
        base * (1.0 + (std::f64::consts::PI * down).cos()) / 2.0
    }

    fn lr_in(&self, group: &ParamGroup, k: u64) -> f64 {
        self.lr(group.base_lr, k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_it_is_flat_as_pytabkit_has_it() {
        // 0.3 * get_schedule("flat_cos").call_time_(k / 12) of pytabkit 1.7.3.
        let expected = [
            0.3,
            0.3,
            0.3,
            0.3,
            0.3,
            0.3,
            0.3,
            0.279_903_810_567_665_8,
            0.225,
            0.15,
            0.075,
            0.020_096_189_432_334_242,
        ];
        let schedule = FlatCos { total_steps: Some(12), ..FlatCos::default() };
        for (k, expected) in (0..).zip(expected) {
            assert!((schedule.lr(0.3, k) - expected).abs() < 1e-15, "step {k}");
        }
        assert!(schedule.lr(0.3, 12).abs() < 1e-16 && schedule.lr(0.3, 40).abs() < 1e-16);
    }
}
