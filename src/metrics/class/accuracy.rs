//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.accuracy_score.html>

use super::{ClassCounts, ClassMetric};
use crate::metrics::{Direction, Metric, MetricValue};

/// The fraction of correct predictions.
#[derive(Debug, Default)]
pub(super) struct Accuracy;

impl Metric for Accuracy {
    const NAME: &'static str = "accuracy";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str = "the fraction of the rows that is predicted correctly";
}

impl ClassMetric for Accuracy {
    fn value(&self, counts: &ClassCounts) -> MetricValue {
        Ok(counts.accuracy())
    }
}
