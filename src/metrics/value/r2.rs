//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.r2_score.html>

use super::{ValueMetric, WeightedPairs};
use crate::metrics::{Direction, Metric, MetricValue, Undefined};
use crate::stats::real;

/// The coefficient of determination.
#[derive(Debug, Default)]
pub(super) struct R2 {
    /// The rows, and their weight.
    numbers: f64,
    count: f64,
    squared: f64,
    /// The first target. Sums are of differences from it, so that a constant target has no spread at all.
    first: Option<f64>,
    /// The mean of those differences.
    mean: f64,
    /// Σ (y − mean)², merged batch by batch: Chan, Golub, `LeVeque` 1979.
    spread: f64,
}

impl Metric for R2 {
    const NAME: &'static str = "r2";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const RANGE: (f64, f64) = (f64::NEG_INFINITY, 1.0);
    const MEANING: &'static str = "the fraction of the target's variance that is explained: 1 perfect, 0 as good as the mean, below 0 worse";
}

impl ValueMetric for R2 {
    fn update(&mut self, pairs: &WeightedPairs<'_>) {
        let Some(own) = pairs.counted().next() else { return };
        let first = *self.first.get_or_insert(own);
        self.numbers += real(pairs.counted().count());
        self.squared += pairs.sum(|x, y| (x - y) * (x - y));
        let rows = pairs.count();
        let mean = pairs.sum(|_, y| y - first) / rows;
        let spread = pairs.sum(|_, y| (y - first - mean) * (y - first - mean));
        let (apart, all) = (mean - self.mean, self.count + rows);
        self.spread += spread + apart * apart * self.count * rows / all;
        self.mean += apart * rows / all;
        self.count = all;
    }

    fn value(&self) -> MetricValue {
        match (self.numbers < 2.0, self.spread == 0.0, self.squared == 0.0) {
            (true, ..) => Err(Undefined("there are fewer than two rows")),
            // As in scikit-learn, with `force_finite`.
            (_, true, true) => Ok(1.0),
            (_, true, false) => Ok(0.0),
            _ => Ok(1.0 - self.squared / self.spread),
        }
    }
}
