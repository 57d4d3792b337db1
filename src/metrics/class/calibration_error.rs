//! <https://arxiv.org/abs/1706.04599>

use super::{ClassCounts, ClassMetric};
use crate::metrics::{Direction, Metric, MetricValue};

/// The expected calibration error in 15 bins of confidence: Guo et al. 2017.
#[derive(Debug, Default)]
pub(super) struct CalibrationError;

impl Metric for CalibrationError {
    const NAME: &'static str = "calibration_error";
    const DIRECTION: Direction = Direction::LowerIsBetter;
    const MEANING: &'static str =
        "the mean distance between the predicted class's probability and the accuracy, in 15 bins";
}

impl ClassMetric for CalibrationError {
    const OF_LABELS: Option<&'static str> = Some("calibration_error");

    fn value(&self, counts: &ClassCounts) -> MetricValue {
        Ok(counts.calibration().error())
    }
}
