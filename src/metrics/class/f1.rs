//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.f1_score.html>

use super::{ClassCounts, ClassMetric, ClassRange};
use crate::metrics::{Direction, Metric, MetricValue};

/// F1 of the positive one of two classes.
#[derive(Debug, Default)]
pub(super) struct F1;

impl Metric for F1 {
    const NAME: &'static str = "f1";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str = "the harmonic mean of the positive class's precision and recall";
}

impl ClassMetric for F1 {
    const CLASSES: ClassRange = ClassRange::Two;
    const OF_LABELS: Option<&'static str> = Some("f1_macro");

    fn value(&self, counts: &ClassCounts) -> MetricValue {
        Ok(counts.positive().f1)
    }
}

/// The mean of the classes' F1 scores.
#[derive(Debug, Default)]
pub(super) struct F1Macro;

impl Metric for F1Macro {
    const NAME: &'static str = "f1_macro";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str = "the mean of the classes' F1 scores, every class counting the same";
}

impl ClassMetric for F1Macro {
    fn value(&self, counts: &ClassCounts) -> MetricValue {
        Ok(counts.macro_average(|score| score.f1))
    }
}
