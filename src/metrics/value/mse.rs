//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.mean_squared_error.html>

use super::{Mean, ValueMetric, WeightedPairs};
use crate::metrics::{Direction, Metric, MetricValue};

/// The mean squared error.
#[derive(Debug, Default)]
pub(super) struct MeanSquaredError(Mean);

impl Metric for MeanSquaredError {
    const NAME: &'static str = "mse";
    const DIRECTION: Direction = Direction::LowerIsBetter;
    const RANGE: (f64, f64) = (0.0, f64::INFINITY);
    const HAS_UNIT: bool = true;
    const MEANING: &'static str = "the mean squared error";
}

impl ValueMetric for MeanSquaredError {
    fn update(&mut self, pairs: &WeightedPairs<'_>) {
        self.0.add(pairs, |x, y| (x - y) * (x - y));
    }

    fn value(&self) -> MetricValue {
        self.0.value()
    }
}
