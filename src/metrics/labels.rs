//! Metrics of answers of yes or no: one of them a row, or several.

use candle_core::Tensor;

use super::calibration::Calibration;
use super::ranking::roc_auc;
use super::{Metric, macro_average, precision_recall_f1, ratio, rows, smallest};
use crate::error::Result;

pub(super) const NAMES: &[&str] =
    &["accuracy", "precision", "recall", "f1", "log_loss", "roc_auc", "calibration_error"];

/// Counts of answers, a column each; a probability above ½ is a yes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Labels {
    rows: u64,
    /// Rows of which every answer is right.
    correct: u64,
    /// For each column true positives, predicted and actual ones.
    counts: Vec<[u64; 3]>,
    log_loss: f64,
    calibration: Calibration,
    /// For each column the scores.
    scores: Vec<Vec<(f64, bool)>>,
}

impl Labels {
    pub(super) fn add(&mut self, predictions: &Tensor, ys: &Tensor) -> Result<()> {
        let columns = predictions.dims()[1];
        self.counts.resize(columns, [0; 3]);
        self.scores.resize(columns, Vec::new());
        let least = smallest(predictions.dtype());
        for (scores, ys) in rows(predictions)?.into_iter().zip(rows(ys)?) {
            let mut all = true;
            for (column, (p, y)) in scores.into_iter().zip(ys).enumerate() {
                let (said, is) = (p > 0.5, y > 0.5);
                let [hits, predicted, actual] = &mut self.counts[column];
                *hits += u64::from(said && is);
                *predicted += u64::from(said);
                *actual += u64::from(is);
                all &= said == is;
                let q = p.clamp(least, 1.0 - least);
                self.log_loss -= y * q.ln() + (1.0 - y) * (1.0 - q).ln();
                self.calibration.add(if said { p } else { 1.0 - p }, said == is);
                self.scores[column].push((p, is));
            }
            self.rows += 1;
            self.correct += u64::from(all);
        }
        Ok(())
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        let scores: Vec<[f64; 3]> = self
            .counts
            .iter()
            .map(|[hits, predicted, actual]| precision_recall_f1(*hits, *predicted, *actual))
            .collect();
        let [precision, recall, f1] = macro_average(&scores);
        #[allow(clippy::cast_precision_loss, reason = "counts of rows and columns")]
        let (rows, columns) = (self.rows as f64, self.counts.len() as f64);
        let areas: f64 = self.scores.iter().map(|scores| roc_auc(scores.clone())).sum();
        vec![
            ("accuracy", ratio(self.correct, self.rows)),
            ("precision", precision),
            ("recall", recall),
            ("f1", f1),
            ("log_loss", self.log_loss / (rows * columns)),
            ("roc_auc", areas / columns),
            ("calibration_error", self.calibration.error()),
        ]
    }
}
