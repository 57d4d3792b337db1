//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.precision_score.html>

use super::{ClassCounts, ClassMetric, ClassRange};
use crate::metrics::{Direction, Metric, MetricValue};

/// Precision of the positive one of two classes.
#[derive(Debug, Default)]
pub(super) struct BinaryPrecision;

impl Metric for BinaryPrecision {
    const NAME: &'static str = "precision";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str = "of the rows predicted as the positive class, the fraction that are";
}

impl ClassMetric for BinaryPrecision {
    const CLASSES: ClassRange = ClassRange::Two;
    const OF_LABELS: Option<&'static str> = Some("precision_macro");

    fn value(&self, counts: &ClassCounts) -> MetricValue {
        Ok(counts.positive().precision)
    }
}

/// The mean of the classes' precisions.
#[derive(Debug, Default)]
pub(super) struct PrecisionMacro;

impl Metric for PrecisionMacro {
    const NAME: &'static str = "precision_macro";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str = "the mean of the classes' precisions, every class counting the same";
}

impl ClassMetric for PrecisionMacro {
    const CLASSES: ClassRange = ClassRange::More;

    fn value(&self, counts: &ClassCounts) -> MetricValue {
        Ok(counts.macro_average(|score| score.precision))
    }
}
