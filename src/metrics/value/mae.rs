//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.mean_absolute_error.html>

use super::{Mean, ValueMetric, WeightedPairs};
use crate::metrics::{Direction, Metric, MetricValue};

/// The mean absolute error, in the target's unit.
#[derive(Debug, Default)]
pub(super) struct Mae(Mean);

impl Metric for Mae {
    const NAME: &'static str = "mae";
    const DIRECTION: Direction = Direction::LowerIsBetter;
    const RANGE: (f64, f64) = (0.0, f64::INFINITY);
    const HAS_UNIT: bool = true;
    const MEANING: &'static str = "the mean absolute error, in the target's unit";
}

impl ValueMetric for Mae {
    fn update(&mut self, pairs: &WeightedPairs<'_>) {
        self.0.add(pairs, |x, y| (x - y).abs());
    }

    fn value(&self) -> MetricValue {
        self.0.value()
    }
}
