//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.r2_score.html>

use super::ValueMetric;
use crate::metrics::{Direction, Metric, Undefined, Value};

/// The coefficient of determination.
#[derive(Debug, Default)]
pub(super) struct R2 {
    count: f64,
    squared: f64,
    mean: f64,
    /// Σ (y − mean)², updated row by row: Welford 1962.
    spread: f64,
}

impl Metric for R2 {
    const NAME: &'static str = "r2";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str = "the fraction of the target's variance that is explained: 1 perfect, 0 as good as the mean, below 0 worse";
}

impl ValueMetric for R2 {
    fn update(&mut self, prediction: f64, target: f64) {
        self.count += 1.0;
        self.squared += (prediction - target) * (prediction - target);
        let from_mean = target - self.mean;
        self.mean += from_mean / self.count;
        self.spread += from_mean * (target - self.mean);
    }

    fn value(&self) -> Value {
        match (self.count < 2.0, self.spread == 0.0, self.squared == 0.0) {
            (true, ..) => Err(Undefined("there are fewer than two rows")),
            // As in scikit-learn, with `force_finite`.
            (_, true, true) => Ok(1.0),
            (_, true, false) => Ok(0.0),
            _ => Ok(1.0 - self.squared / self.spread),
        }
    }
}
