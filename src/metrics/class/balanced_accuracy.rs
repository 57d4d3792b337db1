//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.balanced_accuracy_score.html>

use super::{ClassCounts, ClassMetric};
use crate::metrics::{Direction, Metric, MetricValue, mean};

/// The mean recall of the classes that have rows.
#[derive(Debug, Default)]
pub(super) struct BalancedAccuracy;

impl Metric for BalancedAccuracy {
    const NAME: &'static str = "balanced_accuracy";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str =
        "the mean of the classes' recalls: the accuracy if every class had as many rows";
}

impl ClassMetric for BalancedAccuracy {
    fn value(&self, counts: &ClassCounts) -> MetricValue {
        let scores = counts.by_class().into_iter().filter(|score| score.support > 0.0);
        Ok(mean(&scores.map(|score| score.recall).collect::<Vec<_>>()))
    }
}
