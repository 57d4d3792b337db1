//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.average_precision_score.html>

use super::{ClassCounts, ClassMetric};
use crate::metrics::{Direction, Metric, MetricValue, mean};

/// The area under the precision-recall curve as a step function: of the positive one of two classes; of more the mean
/// of each class against the others (`average="macro"`).
#[derive(Debug, Default)]
pub(super) struct AveragePrecision;

impl Metric for AveragePrecision {
    const NAME: &'static str = "average_precision";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const MEANING: &'static str = "the mean of the precisions at every recall that the positive class's scores reach; of three or more classes the mean of each against the rest";
}

impl ClassMetric for AveragePrecision {
    const OF_LABELS: Option<&'static str> = Some("average_precision");

    fn value(&self, counts: &ClassCounts) -> MetricValue {
        let rankings = counts.rankings()?.iter();
        Ok(mean(&rankings.map(|ranking| ranking.average_precision).collect::<Vec<_>>()))
    }
}
