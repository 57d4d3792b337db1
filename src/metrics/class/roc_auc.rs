//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.roc_auc_score.html>

use super::{ClassCounts, ClassMetric};
use crate::metrics::{Direction, Metric, MetricValue, Undefined, mean};

/// The area under the ROC curve: of the positive one of two classes; of more the mean of each class against the others
/// (`multi_class="ovr"`).
#[derive(Debug, Default)]
pub(super) struct RocAuc;

impl Metric for RocAuc {
    const NAME: &'static str = "roc_auc";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str = "the probability that a row of the positive class scores higher than another; of three or more classes the mean of each against the rest";
}

impl ClassMetric for RocAuc {
    const OF_LABELS: Option<&'static str> = Some("roc_auc");

    fn value(&self, counts: &ClassCounts) -> MetricValue {
        let areas: Vec<f64> = counts.rankings()?.iter().map(|ranking| ranking.roc_auc).collect();
        if areas.iter().any(|area| area.is_nan()) {
            return Err(Undefined("a class has no rows, or all"));
        }
        Ok(mean(&areas))
    }
}
