//! <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.log_loss.html>

use super::{ClassCounts, ClassMetric, ClassRows};
use crate::metrics::{Direction, Metric, MetricValue};

/// The mean of −ln p of the rows' own classes. Probabilities are clipped to the precision of their type.
#[derive(Debug, Default)]
pub(super) struct LogLoss {
    sum: f64,
}

impl Metric for LogLoss {
    const NAME: &'static str = "log_loss";
    const DIRECTION: Direction = Direction::LowerIsBetter;
    const RANGE: (f64, f64) = (0.0, f64::INFINITY);
    const MEANING: &'static str = "the mean of -ln p, where p is the probability given to a row's own class, at least the epsilon of its type, as in scikit-learn";
}

impl ClassMetric for LogLoss {
    const OF_LABELS: Option<&'static str> = Some("log_loss");

    fn update(&mut self, rows: &ClassRows) {
        for row in rows.iter() {
            let p = row.probabilities[row.target].clamp(rows.smallest(), 1.0 - rows.smallest());
            self.sum -= row.weight * p.ln();
        }
    }

    fn value(&self, counts: &ClassCounts) -> MetricValue {
        Ok(self.sum / counts.rows())
    }
}
