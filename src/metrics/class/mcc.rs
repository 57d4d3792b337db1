//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.matthews_corrcoef.html>

use super::{ClassCounts, ClassMetric};
use crate::metrics::{Direction, Metric, MetricValue};

/// Matthews' correlation coefficient: Gorodkin 2004.
#[derive(Debug, Default)]
pub(super) struct Mcc;

impl Metric for Mcc {
    const NAME: &'static str = "mcc";
    const DIRECTION: Direction = Direction::HigherIsBetter;
    const RANGE: (f64, f64) = (-1.0, 1.0);
    const MEANING: &'static str =
        "Matthews' correlation of classes and predictions: 1 perfect, 0 as good as chance, below 0 worse";
}

impl ClassMetric for Mcc {
    fn value(&self, counts: &ClassCounts) -> MetricValue {
        let rows = counts.rows();
        let (mut correct, mut both, mut true_squared, mut predicted_squared) = (0.0, 0.0, 0.0, 0.0);
        for (class, row) in counts.confusion().iter().enumerate() {
            let (support, predicted) = (row.iter().sum::<f64>(), counts.predicted(class));
            correct += row[class];
            both += support * predicted;
            true_squared += support * support;
            predicted_squared += predicted * predicted;
        }
        let spread = (rows * rows - true_squared) * (rows * rows - predicted_squared);
        // scikit-learn gives 0 where all rows are of one class or predicted as one.
        Ok(if spread == 0.0 { 0.0 } else { (correct * rows - both) / spread.sqrt() })
    }
}
