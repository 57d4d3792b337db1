//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.recall_score.html>

use super::{ClassCounts, ClassMetric, ClassRange};
use crate::metrics::{Direction, Metric, MetricValue};

/// Recall of the positive one of two classes.
#[derive(Debug, Default)]
pub(super) struct Recall;

impl Metric for Recall {
    const NAME: &'static str = "recall";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str = "of the rows of the positive class, the fraction predicted as it";
}

impl ClassMetric for Recall {
    const CLASSES: ClassRange = ClassRange::Two;
    const OF_LABELS: Option<&'static str> = Some("recall_macro");

    fn value(&self, counts: &ClassCounts) -> MetricValue {
        Ok(counts.positive().recall)
    }
}

/// The mean of the classes' recalls.
#[derive(Debug, Default)]
pub(super) struct RecallMacro;

impl Metric for RecallMacro {
    const NAME: &'static str = "recall_macro";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str = "the mean of the classes' recalls, every class counting the same";
}

impl ClassMetric for RecallMacro {
    const CLASSES: ClassRange = ClassRange::More;

    fn value(&self, counts: &ClassCounts) -> MetricValue {
        Ok(counts.macro_average(|score| score.recall))
    }
}
