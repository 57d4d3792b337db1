//! The rows of a batch that are surveyed.

use crate::data::split::Part;
use crate::data::table::batch::RecordBatch;

/// The rows of a batch.
#[derive(Clone, Copy)]
pub(super) struct SurveyedRows<'a> {
    pub(super) batch: &'a RecordBatch,
    pub(super) parts: &'a [Part],
    /// Empty where rows count alike.
    pub(super) weights: &'a [f64],
}

impl SurveyedRows<'_> {
    /// The weight of a row to train on; nothing of another.
    pub(super) fn trained(self, row: usize) -> Option<f64> {
        (self.parts[row] == Part::Train).then(|| self.weights.get(row).copied().unwrap_or(1.0))
    }
}
