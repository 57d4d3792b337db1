//! Encodes rows of a batch column by column, which is several times as fast as row by row.

use super::{LocatedColumn, RowEncoder};
use crate::data::preprocess::Features;
use crate::data::table::batch::{Coded, ColumnCells, RecordBatch};
use crate::data::table::row::Cells;

/// The numbers of a block: they stay in the processor's nearest caches.
const NUMBERS: usize = 1 << 12;
/// The rows of a block.
const ROWS: [usize; 2] = [8, 256];

/// A row has an error, or a number that is too large: the rows have to be encoded one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data::table) struct NotInColumns;

/// The features of rows, one row behind the other.
struct BlockFeatures<'a> {
    width: usize,
    features: &'a mut [f64],
}

impl BlockFeatures<'_> {
    /// The features of a row from the place `at` on.
    #[inline]
    fn put(&mut self, row: usize, at: usize, features: &[f64]) {
        let start = row * self.width + at;
        self.features[start..start + features.len()].copy_from_slice(features);
    }
}

impl RowEncoder<'_> {
    /// The number of rows that are best encoded together.
    pub(in crate::data::table) fn block_rows(&self) -> usize {
        let [least, most] = ROWS;
        (NUMBERS / self.width().max(1)).clamp(least, most)
    }

    /// The number of features of a row.
    pub(in crate::data::table) fn width(&self) -> usize {
        self.columns.iter().map(|located| located.dense_width + located.index_width).sum()
    }

    /// Writes the features of some rows of `batch` to `features`, one row behind the other. After an error this encoder has not
    /// seen the right names.
    pub(in crate::data::table) fn block(
        &mut self,
        batch: &RecordBatch,
        rows: &[usize],
        features: &mut Vec<f64>,
    ) -> Result<(), NotInColumns> {
        let width = self.width();
        features.clear();
        features.resize(rows.len() * width, 0.0);
        let mut encoded = BlockFeatures { width, features };
        let mut dense = 0;
        let mut index = self.columns.iter().map(|located| located.dense_width).sum();
        for located in &mut self.columns {
            located.block(batch, rows, [dense, index], &mut encoded)?;
            dense += located.dense_width;
            index += located.index_width;
        }
        #[allow(clippy::cast_possible_truncation, reason = "whether it fits is the question")]
        let fits = features.iter().all(|number| (*number as f32).is_finite());
        if fits { Ok(()) } else { Err(NotInColumns) }
    }
}

impl LocatedColumn<'_> {
    /// Writes the features of the column of some rows: dense ones and indices from the two places of a row on.
    fn block(
        &mut self,
        batch: &RecordBatch,
        rows: &[usize],
        [dense, index]: [usize; 2],
        encoded: &mut BlockFeatures<'_>,
    ) -> Result<(), NotInColumns> {
        let cells = self.index.and_then(|index| batch.columns.get(index));
        if let (Some(plain), Some(ColumnCells::Numbers(numbers))) = (self.plain, cells) {
            for (place, row) in rows.iter().enumerate() {
                let feature = plain.apply(numbers[*row]).ok_or(NotInColumns)?;
                encoded.features[place * encoded.width + dense] = feature;
            }
            return Ok(());
        }
        let mut own = Features::default();
        for (place, row) in rows.iter().enumerate() {
            own.dense.clear();
            own.indices.clear();
            let is_known = match (&self.cells, cells) {
                (Some(known), Some(ColumnCells::Coded(Coded { codes, .. }))) => {
                    known.apply(codes[*row] as usize, &mut own)
                }
                _ => false,
            };
            if !is_known {
                let row = batch.row(*row);
                let cell = self.cell(&row);
                if self.column.apply(cell, &mut own).map_err(|_| NotInColumns)? {
                    self.see_unseen(cell, row.line());
                }
            }
            encoded.put(place, dense, &own.dense);
            encoded.put(place, index, &own.indices);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::preprocess::{Categories, Column, MissingName, Operation, TableEncoder, Target};
    use crate::data::table::batch::{Coder, LineNumbers};
    use crate::data::table::value::Value;

    fn column(name: &str, operations: Vec<Operation>) -> Column {
        Column { name: name.to_owned(), operations, ignored: None }
    }

    /// Columns of every kind, one of them left out and one that the file has not as it was fitted.
    fn fitted() -> TableEncoder {
        let names = || Categories::new(["a", "b", "c"].map(str::to_owned).to_vec(), MissingName::Unknown);
        let scale = Operation::Scale { offset: 0.3, scale: 0.7 };
        let mut ignored = column("ignored", Vec::new());
        ignored.ignored = Some("a constant".to_owned());
        let target = Target::Probabilities { names: vec!["y".to_owned()] };
        let columns = vec![
            column("x", vec![Operation::Number, Operation::Impute(0.5), scale.clone()]),
            column("few", vec![Operation::OneHot(names())]),
            ignored,
            column("many", vec![Operation::CategoryIndex { names: names(), dimension: 2 }]),
            column("number of many kinds", vec![Operation::Number, Operation::MissingIndicator, scale]),
        ];
        TableEncoder::new(target, columns)
    }

    fn batch(rows: usize) -> RecordBatch {
        let numbers = |bad: usize| {
            let number = |row: u32| f64::from(row) / 3.0;
            (0..)
                .take(rows)
                .map(move |row| if row % 7 == bad { f64::NAN } else { number(u32::try_from(row).unwrap()) })
        };
        let mut coders: [Coder; 2] = std::array::from_fn(|_| Coder::with_capacity(rows));
        for row in 0..rows {
            coders[0].push(Value::Text(["a", "b", "c", "new"][row % 4]));
            let own = format!("own {row}");
            coders[1].push(if row % 3 == 0 { Value::Text("b") } else { Value::Text(&own) });
        }
        let [few, many] = coders.map(|coder| ColumnCells::Coded(coder.finish()));
        let columns = vec![
            many,
            ColumnCells::Numbers(numbers(3).collect()),
            few,
            ColumnCells::Numbers(numbers(9).collect()),
        ];
        RecordBatch::new(rows, LineNumbers::From(2), columns)
    }

    const COLUMNS: [&str; 4] = ["many", "x", "few", "number of many kinds"];

    #[test]
    fn a_block_has_the_bits_of_its_rows_and_the_same_unknown_names() {
        let (fitted, batch) = (fitted(), batch(61));
        let columns = COLUMNS.map(str::to_owned);
        let encoder = || RowEncoder::new(&fitted, Path::new("t.csv"), &columns, false).unwrap();
        let (mut in_columns, mut in_rows) = (encoder(), encoder());
        let used: Vec<usize> = (0..61).filter(|row| row % 5 != 1).collect();
        in_columns.begin_batch(&batch, 61);
        in_rows.begin_batch(&batch, 61);
        let (mut block, mut own) = (Vec::new(), Vec::new());
        for rows in used.chunks(10) {
            in_columns.block(&batch, rows, &mut block).unwrap();
            assert_eq!(block.len(), rows.len() * in_columns.width());
            for (row, features) in rows.iter().zip(block.chunks(in_columns.width())) {
                in_rows.features(&batch.row(*row), &mut own).unwrap();
                let bits = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(features), bits(&own), "row {row}");
            }
        }
        assert_eq!(in_columns.unseen(), in_rows.unseen());
        assert_eq!(in_rows.unseen().len(), 2);
    }

    #[test]
    fn a_row_with_an_error_or_a_number_too_large_ends_a_block() {
        let fitted = fitted();
        let columns = COLUMNS.map(str::to_owned);
        for number in [f64::NAN, f64::INFINITY, 1e39] {
            let mut batch = batch(20);
            let ColumnCells::Numbers(numbers) = &mut batch.columns[3] else { panic!("numbers") };
            numbers[12] = number;
            let mut encoder = RowEncoder::new(&fitted, Path::new("t.csv"), &columns, false).unwrap();
            let mut features = Vec::new();
            assert!(encoder.block(&batch, &[10, 11, 13], &mut features).is_ok());
            assert_eq!(encoder.block(&batch, &[10, 11, 12, 13], &mut features), Err(NotInColumns));
            assert!(encoder.features(&batch.row(12), &mut features).is_err());
        }
    }
}
