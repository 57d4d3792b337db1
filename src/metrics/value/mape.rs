//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.mean_absolute_percentage_error.html>

use super::{Mean, ValueMetric, WeightedPairs};
use crate::metrics::{Direction, Metric, MetricValue, Undefined};

/// The mean of |prediction − target| / |target|. Undefined where a target is 0; scikit-learn divides by 2⁻⁵² then,
/// which gives numbers of 10¹⁵ that say nothing.
#[derive(Debug, Default)]
pub(super) struct Mape {
    mean: Mean,
    has_zero: bool,
}

impl Metric for Mape {
    const NAME: &'static str = "mape";
    const DIRECTION: Direction = Direction::LowerIsBetter;
    const RANGE: (f64, f64) = (0.0, f64::INFINITY);
    const MEANING: &'static str =
        "the mean of |prediction - target| / |target|, a fraction: 0.1 is 10 %; left out where a target is 0";
}

impl ValueMetric for Mape {
    fn update(&mut self, pairs: &WeightedPairs<'_>) {
        self.has_zero |= pairs.counted().any(|target| target == 0.0);
        self.mean.add(pairs, |x, y| (x - y).abs() / y.abs().max(f64::EPSILON));
    }

    fn value(&self) -> MetricValue {
        if self.has_zero { Err(Undefined("a target is 0")) } else { self.mean.value() }
    }
}
