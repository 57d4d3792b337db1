//! The features of a row.

use super::calendar::CalendarPart;
use super::categories::Categories;
use super::cell_error::CellError;
use crate::data::table::dates::DateForm;
use crate::data::table::value::Value;

/// The features of a row so far.
#[derive(Debug, Clone, Default)]
pub struct Features {
    /// The numeric features, column after column.
    pub dense: Vec<f64>,
    /// The indices of embeddings.
    pub indices: Vec<f64>,
}

impl Features {
    /// Appends a one-hot encoded name; returns whether training did not have it.
    pub(super) fn push_one_hot(&mut self, names: &Categories, cell: Value<'_>) -> Result<bool, CellError> {
        let found = names.find(cell)?;
        let start = self.dense.len();
        self.dense.resize(start + names.len(), 0.0);
        if let Some(index) = found.index {
            self.dense[start + index] = 1.0;
        }
        Ok(found.unseen)
    }

    /// Appends the places of a time, in days since 1970-01-01, on circles of the calendar.
    pub(super) fn push_places(
        &mut self,
        form: DateForm,
        parts: &[CalendarPart],
        days: f64,
    ) -> Result<(), CellError> {
        for part in parts {
            self.dense.extend(part.features(days).ok_or(CellError::NotDate(form))?);
        }
        Ok(())
    }

    /// Appends the index of a name; returns whether training did not have it.
    pub(super) fn push_index(&mut self, names: &Categories, cell: Value<'_>) -> Result<bool, CellError> {
        let found = names.find(cell)?;
        #[allow(clippy::cast_precision_loss, reason = "there are fewer names than 2^24")]
        self.indices.push(found.index.map_or(0.0, |index| 1.0 + index as f64));
        Ok(found.unseen)
    }
}
