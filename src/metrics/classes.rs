//! Metrics of classes.

use candle_core::Tensor;

use super::calibration::Calibration;
use super::ranking::roc_auc;
use super::{Metric, macro_average, precision_recall_f1, ratio, rows, smallest};
use crate::data::class_of;
use crate::error::Result;

pub(super) const NAMES: &[&str] =
    &["accuracy", "top5_accuracy", "precision", "recall", "f1", "log_loss", "roc_auc", "calibration_error"];

/// Of more classes than this no scores are kept, and there is no `roc_auc`: they would fill the memory.
const MOST_RANKED: usize = 100;

/// What classes were predicted for which, and how surely.
#[derive(Debug, Clone, PartialEq)]
pub struct Classes {
    ignored: i64,
    rows: u64,
    /// Row by row of the confusion matrix: what class it is, and what was predicted.
    confusion: Vec<Vec<u64>>,
    /// For each row the rank of its class, from 0, counted: `ranks[k]` rows had k classes before theirs.
    ranks: Vec<u64>,
    log_loss: f64,
    calibration: Calibration,
    /// The probabilities and the class of every row.
    scores: Vec<(Vec<f64>, usize)>,
}

/// How well one class is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScore {
    /// The share of the rows predicted so that are so.
    pub precision: f64,
    /// The share of the rows that are so that are predicted so.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// The rows of this class.
    pub support: u64,
}

impl Classes {
    pub(super) fn new(ignored: i64) -> Self {
        Self {
            ignored,
            rows: 0,
            confusion: Vec::new(),
            ranks: Vec::new(),
            log_loss: 0.0,
            calibration: Calibration::default(),
            scores: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, predictions: &Tensor, ys: &Tensor) -> Result<()> {
        let classes = predictions.dims()[1];
        if self.confusion.is_empty() {
            self.confusion = vec![vec![0; classes]; classes];
            self.ranks = vec![0; classes];
        }
        let least = smallest(predictions.dtype());
        for (scores, y) in rows(predictions)?.into_iter().zip(class_of(ys)?) {
            let Some(y) = usize::try_from(y).ok().filter(|_| y != self.ignored) else { continue };
            // Of equal scores the class with the smaller number counts as the larger, as in argmax.
            let before =
                |k: usize| scores[k] > scores[y] || (scores[k].total_cmp(&scores[y]).is_eq() && k < y);
            let rank = (0..classes).filter(|k| before(*k)).count();
            let first = |best: usize, k: usize| if scores[k] > scores[best] { k } else { best };
            let best = (0..classes).fold(0, first);
            self.rows += 1;
            self.confusion[y][best] += 1;
            self.ranks[rank] += 1;
            self.log_loss -= scores[y].clamp(least, 1.0).ln();
            self.calibration.add(scores[best], best == y);
            if classes <= MOST_RANKED {
                self.scores.push((scores, y));
            }
        }
        Ok(())
    }

    /// Row by row what class it is, column by column what was predicted.
    pub fn confusion(&self) -> &[Vec<u64>] {
        &self.confusion
    }

    /// Each class on its own.
    pub fn by_class(&self) -> Vec<ClassScore> {
        let score = |class: usize| {
            let support = self.confusion[class].iter().sum();
            let predicted = self.confusion.iter().map(|row| row[class]).sum();
            let [precision, recall, f1] =
                precision_recall_f1(self.confusion[class][class], predicted, support);
            ClassScore { precision, recall, f1, support }
        };
        (0..self.confusion.len()).map(score).collect()
    }

    /// For each bin of confidence that has rows: its mean confidence, the share that was right, and the rows.
    pub fn calibration(&self) -> Vec<(f64, f64, u64)> {
        self.calibration.bins()
    }

    /// The share of rows whose class is among the `k` with the highest scores.
    pub fn top_k(&self, k: usize) -> f64 {
        ratio(self.ranks.iter().take(k).sum(), self.rows)
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        let classes = self.confusion.len();
        // As in scikit-learn a class that neither is nor was predicted does not count.
        let occurs = |class: &usize| {
            self.confusion[*class].iter().any(|n| *n > 0) || self.confusion.iter().any(|row| row[*class] > 0)
        };
        let scores = self.by_class();
        let occurring: Vec<[f64; 3]> = (0..classes)
            .filter(occurs)
            .map(|class| [scores[class].precision, scores[class].recall, scores[class].f1])
            .collect();
        let [precision, recall, f1] = macro_average(&occurring);
        #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
        let log_loss = self.log_loss / self.rows as f64;
        let mut metrics = vec![("accuracy", self.top_k(1))];
        if classes > 5 {
            metrics.push(("top5_accuracy", self.top_k(5)));
        }
        metrics.extend([
            ("precision", precision),
            ("recall", recall),
            ("f1", f1),
            ("log_loss", log_loss),
            ("roc_auc", self.roc_auc()),
            ("calibration_error", self.calibration.error()),
        ]);
        metrics
    }

    /// Of two classes the second one's; of more the mean of each class against the others.
    fn roc_auc(&self) -> f64 {
        let area = |class: usize| {
            roc_auc(self.scores.iter().map(|(scores, y)| (scores[class], *y == class)).collect())
        };
        #[allow(clippy::cast_precision_loss, reason = "a count of classes")]
        match self.confusion.len() {
            _ if self.scores.is_empty() => f64::NAN,
            2 => area(1),
            classes => (0..classes).map(area).sum::<f64>() / classes as f64,
        }
    }
}
