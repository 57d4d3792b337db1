//! Encodes rows of a batch column by column, which is several times as fast as row by row.

use super::{LocatedColumn, RowEncoder};
use crate::data::preprocess::{Features, Target};
use crate::data::table::batch::{Coded, ColumnCells, RecordBatch};
use crate::data::table::row::Cells;

/// The numbers of a block, which stay in the processor's nearest caches where a row has up to 512.
const NUMBERS: usize = 1 << 12;
/// The rows of a block.
const ROWS: [usize; 2] = [8, 256];

/// A row has an error, or a number that is too large. Encoded one by one, the rows give the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data::table) struct BlockFailed;

/// The features of rows, one row behind the other.
struct BlockFeatures<'a> {
    width: usize,
    features: &'a mut [f64],
}

/// The offsets of a column's features in a row.
#[derive(Debug, Clone, Copy)]
struct ColumnOffsets {
    dense: usize,
    indices: usize,
}

impl BlockFeatures<'_> {
    /// Copies features of a row to this offset.
    #[inline]
    fn put(&mut self, row: usize, offset: usize, features: &[f64]) {
        let start = row * self.width + offset;
        self.features[start..start + features.len()].copy_from_slice(features);
    }
}

impl RowEncoder<'_> {
    /// The number of rows that are best encoded together.
    pub(in crate::data::table) fn block_rows(&self) -> usize {
        let [least, most] = ROWS;
        (NUMBERS / self.width.max(1)).clamp(least, most)
    }

    /// The number of features of a row.
    pub(in crate::data::table) fn width(&self) -> usize {
        self.width
    }

    /// Writes the features of some rows of `batch` to `features`, one row behind the other. After an error, the counts of
    /// odd cells are wrong; discard the encoder.
    pub(in crate::data::table) fn block(
        &mut self,
        batch: &RecordBatch,
        rows: &[usize],
        features: &mut Vec<f64>,
    ) -> Result<(), BlockFailed> {
        // Every feature is written below, so old values need no clearing.
        features.resize(rows.len() * self.width, 0.0);
        let mut encoded = BlockFeatures { width: self.width, features };
        let dense_width = self.columns.iter().map(|located| located.dense_width).sum();
        let mut offsets = ColumnOffsets { dense: 0, indices: dense_width };
        for located in &mut self.columns {
            located.block(batch, rows, offsets, &mut encoded)?;
            offsets.dense += located.dense_width;
            offsets.indices += located.index_width;
        }
        #[allow(clippy::cast_possible_truncation, reason = "whether it fits is the question")]
        let fits = features.iter().all(|number| (*number as f32).is_finite());
        if fits { Ok(()) } else { Err(BlockFailed) }
    }

    /// The target of a row in a numeric column, if the scale accepts it.
    #[inline]
    pub(super) fn plain_target(&self, row: &impl Cells, index: usize) -> Option<f64> {
        let Target::Values { scale, .. } = self.target else { return None };
        let number = row.number(self.targets.as_ref()?[index])?;
        (number.is_finite() && scale.takes(number)).then_some(number)
    }
}

impl LocatedColumn<'_> {
    /// Writes the features of the column of some rows.
    fn block(
        &mut self,
        batch: &RecordBatch,
        rows: &[usize],
        offsets: ColumnOffsets,
        encoded: &mut BlockFeatures<'_>,
    ) -> Result<(), BlockFailed> {
        let cells = self.index.and_then(|index| batch.columns.get(index));
        if let (Some(plain), Some(ColumnCells::Numbers(numbers))) = (self.plain, cells) {
            for (slot, row) in rows.iter().enumerate() {
                let feature = plain.apply(numbers[*row]).ok_or(BlockFailed)?;
                if feature.abs() > self.bound {
                    self.see_far(&batch.row(*row));
                }
                encoded.features[slot * encoded.width + offsets.dense] = feature;
            }
            return Ok(());
        }
        let mut own = Features::default();
        for (slot, row) in rows.iter().enumerate() {
            own.dense.clear();
            own.indices.clear();
            self.one(batch, *row, &mut own)?;
            encoded.put(slot, offsets.dense, &own.dense);
            encoded.put(slot, offsets.indices, &own.indices);
        }
        Ok(())
    }

    /// Adds the features of the column of one row.
    fn one(&mut self, batch: &RecordBatch, row: usize, features: &mut Features) -> Result<(), BlockFailed> {
        let cells = self.index.and_then(|index| batch.columns.get(index));
        let is_known = match (&self.cells, cells) {
            (Some(known), Some(ColumnCells::Coded(Coded { codes, .. }))) => {
                known.apply(codes[row] as usize, features)
            }
            _ => false,
        };
        let row = batch.row(row);
        if !is_known && self.column.apply(self.cell(&row), features).map_err(|_| BlockFailed)? {
            self.see_unseen(&row);
        }
        if self.is_far(&features.dense) {
            self.see_far(&row);
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
    use crate::data::table::dates::DateForm;
    use crate::data::table::value::Value;

    fn column(name: &str, operations: Vec<Operation>) -> Column {
        Column { name: name.to_owned(), operations, ignored: None }
    }

    /// Columns that are encoded in each of the ways: plain numbers, repeated and other names, numbers with more operations,
    /// truth values, dates. One is ignored, and the file has another order.
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
            column(
                "flagged",
                vec![Operation::Number, Operation::Impute(0.1), Operation::MissingIndicator, scale],
            ),
            column("yes", vec![Operation::Boolean]),
            column(
                "day",
                vec![Operation::DateToDays(DateForm::Iso), Operation::Impute(3.0), Operation::SmoothClip],
            ),
        ];
        TableEncoder::new(target, columns)
    }

    /// The row whose numbers are far outside those of training.
    const FAR: u32 = 57;

    fn batch(rows: usize) -> RecordBatch {
        let numbers = |bad: usize| {
            let number = |row: u32| if row == FAR { 1e30 } else { f64::from(row) / 3.0 };
            (0..)
                .take(rows)
                .map(move |row| if row % 7 == bad { f64::NAN } else { number(u32::try_from(row).unwrap()) })
        };
        let mut coders: [Coder; 3] = std::array::from_fn(|_| Coder::default());
        for row in 0..rows {
            coders[0].push(Value::Text(["a", "b", "c", "new"][row % 4]));
            let own = format!("own {row}");
            coders[1].push(if row % 3 == 0 { Value::Text("b") } else { Value::Text(&own) });
            coders[2].push(Value::Text(["no", "yes"][row % 2]));
        }
        let [few, many, truth] = coders.map(|coder| ColumnCells::Coded(coder.finish()));
        let columns = vec![
            many,
            ColumnCells::Numbers(numbers(3).collect()),
            few,
            ColumnCells::Numbers(numbers(2).collect()),
            truth,
            ColumnCells::Dates(numbers(4).collect()),
        ];
        RecordBatch::new(rows, LineNumbers::From(2), columns)
    }

    const COLUMNS: [&str; 6] = ["many", "x", "few", "flagged", "yes", "day"];

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
        assert_eq!(in_columns.warnings(), in_rows.warnings());
        assert_eq!(in_rows.warnings().len(), 4);
    }

    #[test]
    fn a_row_with_an_error_or_a_number_too_large_ends_a_block() {
        let fitted = fitted();
        let columns = COLUMNS.map(str::to_owned);
        for number in [f64::INFINITY, 1e39] {
            let mut batch = batch(20);
            let ColumnCells::Numbers(numbers) = &mut batch.columns[3] else { panic!("numbers") };
            numbers[12] = number;
            let mut encoder = RowEncoder::new(&fitted, Path::new("t.csv"), &columns, false).unwrap();
            let mut features = Vec::new();
            assert!(encoder.block(&batch, &[10, 11, 13], &mut features).is_ok());
            assert_eq!(encoder.block(&batch, &[10, 11, 12, 13], &mut features), Err(BlockFailed));
            assert!(encoder.features(&batch.row(12), &mut features).is_err());
        }
    }
}
