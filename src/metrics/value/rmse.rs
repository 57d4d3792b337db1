//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.root_mean_squared_error.html>

use super::{Mean, ValueMetric, WeightedPairs};
use crate::metrics::{Direction, Metric, MetricValue};

/// The root of the mean squared error, in the target's unit.
#[derive(Debug, Default)]
pub(super) struct Rmse(Mean);

impl Metric for Rmse {
    const NAME: &'static str = "rmse";
    const DIRECTION: Direction = Direction::LowerIsBetter;
    const RANGE: (f64, f64) = (0.0, f64::INFINITY);
    const HAS_UNIT: bool = true;
    const MEANING: &'static str = "the root of the mean squared error, in the target's unit";
}

impl ValueMetric for Rmse {
    fn update(&mut self, pairs: &WeightedPairs<'_>) {
        self.0.add(pairs, |x, y| (x - y) * (x - y));
    }

    fn value(&self) -> MetricValue {
        self.0.value().map(f64::sqrt)
    }
}
