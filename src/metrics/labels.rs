//! Metrics of several labels a row, each of them yes or no: scikit-learn's multilabel targets.

use candle_core::Tensor;

use super::class::{ClassEntry, ClassMetrics, ClassRows};
use super::{Measured, MetricValue, mean, ratio};
use crate::data::Task;
use crate::error::Result;

/// The metrics of two classes for each label, and the rows whose labels are all predicted correctly.
#[derive(Debug)]
pub(super) struct Labels {
    labels: Vec<ClassMetrics>,
    rows: u64,
    correct: u64,
}

impl Labels {
    pub(super) fn new(labels: usize) -> Self {
        Self { labels: (0..labels).map(|_| ClassMetrics::new(2, 1)).collect(), rows: 0, correct: 0 }
    }

    pub(super) fn add(&mut self, task: Task, predictions: &Tensor, targets: &Tensor) -> Result<()> {
        let mut correct = vec![true; predictions.dims()[0]];
        for (index, label) in self.labels.iter_mut().enumerate() {
            let column = |tensor: &Tensor| tensor.narrow(1, index, 1)?.contiguous();
            let rows = ClassRows::new(task, None, &column(predictions)?, &column(targets)?)?;
            rows.iter().for_each(|row| correct[row.index] &= row.predicted == row.target);
            label.add(&rows);
        }
        self.rows += correct.len() as u64;
        self.correct += correct.iter().filter(|correct| **correct).count() as u64;
        Ok(())
    }

    /// `accuracy`, the fraction of the rows whose labels are all correct, and the means over the labels.
    pub(super) fn values(&self) -> Vec<Measured> {
        let mut measured = vec![Measured::new("accuracy", Ok(ratio(self.correct, self.rows)))];
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
