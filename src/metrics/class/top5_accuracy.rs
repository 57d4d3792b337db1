//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.top_k_accuracy_score.html>

use super::{ClassCounts, ClassMetric, Classes};
use crate::metrics::{Direction, Metric, Value};

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
    const CLASSES: Classes = Classes::MoreThanFive;

    fn value(&self, counts: &ClassCounts) -> Value {
        Ok(counts.top_k(5))
    }
}
