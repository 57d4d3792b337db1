//! The different cells of a column of a batch, each encoded once for all rows that have it.

use super::batch::{Coded, ColumnCells, RecordBatch};
use crate::data::preprocess::{Column, Features};

/// Encoded cells, by their codes.
#[derive(Debug, Clone)]
pub(super) struct CellFeatures {
    features: Features,
    dense_width: usize,
    index_width: usize,
    /// Whether training had the cell, or one of its kind, and it has no error.
    is_known: Vec<bool>,
}

impl CellFeatures {
    /// The cells of a column of the batch, of which `rows` rows are encoded; nothing where most of these have a cell of their own,
    /// or the cells become more than `room` numbers.
    pub(super) fn of(
        column: &Column,
        index: usize,
        batch: &RecordBatch,
        rows: usize,
        room: usize,
    ) -> Option<Self> {
        let Some(ColumnCells::Coded(Coded { values, .. })) = batch.columns.get(index) else { return None };
        let (dense_width, index_width) = (column.dense_width(), column.index_width());
        if 2 * values.len() > rows || values.len().saturating_mul(dense_width + index_width) > room {
            return None;
        }
        let mut cells =
            Self { features: Features::default(), dense_width, index_width, is_known: Vec::new() };
        for code in 0..values.len() {
            let unseen = column.apply(values.value(code), &mut cells.features);
            cells.is_known.push(unseen.is_ok_and(|unseen| !unseen));
            cells.features.dense.resize((code + 1) * dense_width, 0.0);
            cells.features.indices.resize((code + 1) * index_width, 0.0);
        }
        Some(cells)
    }

    /// The number of numbers.
    pub(super) fn numbers(&self) -> usize {
        self.features.dense.len() + self.features.indices.len()
    }

    /// Appends the features of a cell; false, and nothing appended, where it has an error or a name that training did not have.
    pub(super) fn apply(&self, code: usize, features: &mut Features) -> bool {
        if !self.is_known[code] {
            return false;
        }
        let of = |width: usize| code * width..(code + 1) * width;
        features.dense.extend_from_slice(&self.features.dense[of(self.dense_width)]);
        features.indices.extend_from_slice(&self.features.indices[of(self.index_width)]);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::{Coder, LineNumbers};
    use super::*;
    use crate::data::preprocess::Operation;
    use crate::data::table::value::Value;

    #[test]
    fn cells_have_the_features_that_the_column_gives_them() {
        let mut coder = Coder::default();
        for text in ["1.5", "x", "", "1.5", "-2", "-2", "1.5", "x", "-2", "1.5"] {
            coder.push(if text.is_empty() { Value::Missing } else { Value::Text(text) });
        }
        let coded = coder.finish();
        let batch = RecordBatch::new(10, LineNumbers::From(2), vec![ColumnCells::Coded(coded.clone())]);
        let operations = vec![Operation::Number, Operation::Impute(4.0), Operation::MissingIndicator];
        let column = Column { name: "a".to_owned(), operations, ignored: None };
        let cells = CellFeatures::of(&column, 0, &batch, 10, 8).unwrap();
        assert_eq!(cells.numbers(), 8);
        for code in 0..coded.values.len() {
            let (mut own, mut expected) = (Features::default(), Features::default());
            match column.apply(coded.values.value(code), &mut expected) {
                Ok(unseen) => {
                    assert!(!unseen && cells.apply(code, &mut own));
                    assert_eq!(own.dense, expected.dense);
                }
                Err(_) => assert!(!cells.apply(code, &mut own) && own.dense.is_empty()),
            }
        }
        // Too little room, and too few rows for the cells.
        assert!(CellFeatures::of(&column, 0, &batch, 10, 7).is_none());
        assert!(CellFeatures::of(&column, 0, &batch, 7, 8).is_none());
    }
}
