//! The different cells of a column of a batch, each encoded once for all rows that have it.

use super::batch::{Coded, ColumnCells, RecordBatch};
use crate::data::preprocess::{Column, Features};

/// The most numbers that the cells of a column become.
const MOST: usize = 1 << 16;

/// Encoded cells, by their codes.
#[derive(Debug, Clone)]
pub(super) struct CellFeatures {
    features: Features,
    dense_width: usize,
    index_width: usize,
    /// Whether each is one that training had, without an error.
    usual: Vec<bool>,
}

impl CellFeatures {
    /// The cells of a column of the batch, of which `rows` are encoded; nothing where most rows have a cell of their own.
    pub(super) fn of(column: &Column, index: usize, batch: &RecordBatch, rows: usize) -> Option<Self> {
        let Some(ColumnCells::Coded(Coded { values, .. })) = batch.columns.get(index) else { return None };
        let (dense_width, index_width) = (column.dense_width(), column.index_width());
        if 2 * values.len() > rows || values.len().saturating_mul(dense_width + index_width) > MOST {
            return None;
        }
        let mut cells = Self { features: Features::default(), dense_width, index_width, usual: Vec::new() };
        for code in 0..values.len() {
            let unseen = column.apply(values.value(code), &mut cells.features);
            cells.usual.push(unseen.is_ok_and(|unseen| !unseen));
            cells.features.dense.resize((code + 1) * dense_width, 0.0);
            cells.features.indices.resize((code + 1) * index_width, 0.0);
        }
        Some(cells)
    }

    /// Appends the features of a cell; false, and nothing appended, where it has an error or a name that training did not have.
    pub(super) fn apply(&self, code: usize, features: &mut Features) -> bool {
        if !self.usual[code] {
            return false;
        }
        let of = |width: usize| code * width..(code + 1) * width;
        features.dense.extend_from_slice(&self.features.dense[of(self.dense_width)]);
        features.indices.extend_from_slice(&self.features.indices[of(self.index_width)]);
        true
    }
}
