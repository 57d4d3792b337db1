//! `RealMLP`'s schedule: Holzmüller et al. 2024, <https://arxiv.org/abs/2407.04491>, and pytabkit's `CoslogFunc(4)`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Length, ParamGroup, Schedule, count};
use crate::registry::KeyError;

/// Four cycles, each twice as long as the one before: the learning rate times
/// `(1 - cos(2 pi log2(1 + 15 k / total_steps))) / 2`. It is 0 at the first step and at the end of each cycle.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Coslog4 {
    /// Number of steps of all cycles; default: those of the run.
    #[schemars(range(min = 1))]
    pub total_steps: Option<u64>,
}

impl Schedule for Coslog4 {
    fn check(&self) -> Result<(), KeyError> {
        super::check_at_least_one("total_steps", self.total_steps.unwrap_or(1))
    }

    fn fill(&mut self, steps: u64) {
        self.total_steps.get_or_insert(steps.max(1));
    }

    fn lengths(&self) -> Vec<Length> {
        Length::to_the_end("total_steps", self.total_steps)
    }

    fn lr(&self, base: f64, k: u64) -> f64 {
        let total = self.total_steps.unwrap_or(1);
        let cycles = (1.0 + 15.0 * count(k.min(total)) / count(total)).log2();
        base * (1.0 - (2.0 * std::f64::consts::PI * cycles).cos()) / 2.0
    }

    fn lr_in(&self, group: &ParamGroup, k: u64) -> f64 {
        self.lr(group.base_lr, k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_cycles_as_pytabkit_has_them() {
        // 0.04 * CoslogFunc(4)(k / 12) of pytabkit 1.7.3.
        let expected = [
            0.0,
            0.010_356_668_750_984_174,
            0.012_947_560_169_154_868,
            0.019_739_571_018_591_896,
            0.037_217_238_817_248_23,
            0.007_448_032_005_027_079,
            0.002_944_757_367_434_238_5,
            0.024_412_177_885_207_807,
            0.039_353_777_076_915_016,
            0.035_026_309_243_230_906,
            0.019_385_914_893_565_587,
            0.005_195_285_928_204_538,
            0.0,
        ];
        let schedule = Coslog4 { total_steps: Some(12) };
        for (k, expected) in (0..).zip(expected) {
            assert!((schedule.lr(0.04, k) - expected).abs() < 1e-16, "step {k}");
        }
    }
}
