//! Metrics of several labels a row, each of them yes or no: scikit-learn's multilabel targets.

use candle_core::Tensor;

use super::class::{ClassEntry, ClassMetrics, ClassRows};
use super::{Measured, MetricValue, mean};
use crate::data::Task;
use crate::error::Result;

/// The metrics of two classes for each label, and the rows whose labels are all predicted correctly.
#[derive(Debug)]
pub(super) struct Labels {
    labels: Vec<ClassMetrics>,
    /// As often as their weights say.
    rows: f64,
    correct: f64,
}

impl Labels {
    pub(super) fn new(labels: usize) -> Self {
        Self { labels: (0..labels).map(|_| ClassMetrics::new(2, 1)).collect(), rows: 0.0, correct: 0.0 }
    }

    pub(super) fn add(
        &mut self,
        task: Task,
        predictions: &Tensor,
        targets: &Tensor,
        weights: Option<&Tensor>,
    ) -> Result<()> {
        let mut correct = vec![true; predictions.dims()[0]];
        for (index, label) in self.labels.iter_mut().enumerate() {
            let column = |tensor: &Tensor| tensor.narrow(1, index, 1)?.contiguous();
            let rows = ClassRows::new(task, None, &column(predictions)?, &column(targets)?)?
                .with_weights(weights)?;
            rows.iter().for_each(|row| correct[row.index] &= row.predicted == row.target);
            label.add(&rows);
        }
        let weights = match weights {
            Some(weights) => weights.to_vec1::<f64>()?,
            None => vec![1.0; correct.len()],
        };
        self.rows += weights.iter().sum::<f64>();
        self.correct += weights
            .iter()
            .zip(correct)
            .filter(|(_, correct)| *correct)
            .map(|(weight, _)| weight)
            .sum::<f64>();
        Ok(())
    }

    /// `accuracy`, the fraction of the rows whose labels are all correct, and the means over the labels.
    pub(super) fn values(&self) -> Vec<Measured> {
        let mut measured = vec![Measured::new("accuracy", Ok(self.correct / self.rows))];
        let own: Vec<Vec<(&ClassEntry, MetricValue)>> =
            self.labels.iter().map(|label| label.each().collect()).collect();
        let entries = own.first().into_iter().flatten().enumerate();
        measured.extend(entries.filter_map(|(metric, (entry, _))| {
            let values = own.iter().map(|label| label[metric].1).collect::<Result<Vec<_>, _>>();
            Some(Measured::new(entry.of_labels?, values.map(|values| mean(&values))))
        }));
        measured
    }
}
