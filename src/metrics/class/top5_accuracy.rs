//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.top_k_accuracy_score.html>

use super::{ClassCounts, ClassMetric, ClassRange};
use crate::metrics::{Direction, Metric, MetricValue};

/// Top-k accuracy with k = 5.
#[derive(Debug, Default)]
pub(super) struct Top5Accuracy;

impl Metric for Top5Accuracy {
    const NAME: &'static str = "top5_accuracy";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str =
        "the fraction of the rows whose class is among the five with the highest probabilities";
}

impl ClassMetric for Top5Accuracy {
    const CLASSES: ClassRange = ClassRange::MoreThanFive;

    fn value(&self, counts: &ClassCounts) -> MetricValue {
        Ok(counts.top_k(5))
    }
}
