//! Some thousand rows of a table, column by column.

mod builder;
mod complete;

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde::{Deserialize, Serialize};

pub(crate) use self::builder::{CellsBuilder, NumericCells};
pub(super) use self::complete::is_complete;
use super::row::{Cells, Row};
use super::value::Value;

/// The cells of a column of a batch.
#[derive(Debug, Clone)]
pub(crate) enum ColumnCells {
    /// Numbers, without the text or the type that they had in the file; NaN where a cell is missing.
    Numbers(Vec<f64>),
    /// Days since 1970-01-01 UTC; NaN where a cell is missing.
    Dates(Vec<f64>),
    /// Cells as the file has them.
    Coded(Coded),
    /// Nothing: all cells are missing, or the column is not read.
    Absent,
}

/// Cells of which each different one is kept once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coded {
    /// For each row the place of its cell in `values`.
    pub(super) codes: Vec<u32>,
    /// The different cells, in the order of their first rows.
    pub(super) values: Row,
}

/// The lines that the rows begin on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum LineNumbers {
    /// One after the other, from this one.
    From(u64),
    /// The line of each row.
    Each(Vec<u64>),
}

/// Some rows, column by column. Columns that a batch does not have are missing in all of its rows.
#[derive(Debug, Clone)]
pub(crate) struct RecordBatch {
    pub(super) rows: usize,
    pub(super) lines: LineNumbers,
    pub(super) columns: Vec<ColumnCells>,
    /// The columns that have numbers or dates beside other cells, and have lost the former.
    pub(super) mixed: Vec<usize>,
}

/// A row of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchRow<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl ColumnCells {
    /// The cell of a row.
    pub(super) fn value(&self, row: usize) -> Value<'_> {
        match self {
            Self::Numbers(numbers) if numbers[row].is_nan() => Value::Missing,
            Self::Numbers(numbers) => Value::Number(numbers[row]),
            Self::Dates(days) if days[row].is_nan() => Value::Missing,
            Self::Dates(days) => Value::Date(days[row]),
            Self::Coded(Coded { codes, values }) => values.value(codes[row] as usize),
            Self::Absent => Value::Missing,
        }
    }

    /// About the bytes that it takes.
    fn bytes(&self) -> usize {
        match self {
            Self::Numbers(numbers) | Self::Dates(numbers) => 8 * numbers.len(),
            Self::Coded(Coded { codes, values }) => 4 * codes.len() + values.bytes(),
            Self::Absent => 0,
        }
    }
}

impl RecordBatch {
    pub(crate) fn new(rows: usize, lines: LineNumbers, columns: Vec<ColumnCells>) -> Self {
        Self { rows, lines, columns, mixed: Vec::new() }
    }

    /// The rows, one after the other.
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = BatchRow<'_>> {
        (0..self.rows).map(|row| BatchRow { batch: self, row })
    }

    /// The row of this number.
    pub(super) fn row(&self, row: usize) -> BatchRow<'_> {
        BatchRow { batch: self, row }
    }

    /// The line that a row begins on.
    pub(super) fn line(&self, row: usize) -> u64 {
        match &self.lines {
            LineNumbers::From(first) => first + row as u64,
            LineNumbers::Each(lines) => lines[row],
        }
    }

    /// About the bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let lines = if let LineNumbers::Each(lines) = &self.lines { 8 * lines.len() } else { 0 };
        lines + self.columns.iter().map(ColumnCells::bytes).sum::<usize>()
    }
}

impl Cells for BatchRow<'_> {
    fn value(&self, column: usize) -> Value<'_> {
        self.batch.columns.get(column).map_or(Value::Missing, |cells| cells.value(self.row))
    }

    fn line(&self) -> u64 {
        self.batch.line(self.row)
    }

    #[inline]
    fn number(&self, column: usize) -> Option<f64> {
        match self.batch.columns.get(column) {
            Some(ColumnCells::Numbers(numbers)) => Some(numbers[self.row]),
            _ => None,
        }
    }

    fn code(&self, column: usize) -> Option<usize> {
        match self.batch.columns.get(column) {
            Some(ColumnCells::Coded(Coded { codes, .. })) => Some(codes[self.row] as usize),
            _ => None,
        }
    }
}

/// Collects the cells of a column, each different one once.
#[derive(Debug, Default)]
pub(crate) struct Coder {
    coded: Coded,
    /// The codes of the cells with text, by its hash.
    texts: HashTable<u32>,
    others: FxHashMap<PlainCell, u32>,
}

/// The kind and the bits of a cell that is no text.
#[derive(Debug, PartialEq, Eq, Hash)]
struct PlainCell {
    kind: u8,
    bits: u64,
}

impl Coder {
    /// Adds a cell.
    pub(crate) fn push(&mut self, value: Value<'_>) {
        let code = match value.text() {
            Some(text) => self.text_code(text, value),
            None => *self.others.entry(PlainCell::of(value)).or_insert_with(|| self.coded.add(value)),
        };
        self.coded.codes.push(code);
    }

    /// The code of a cell with this text.
    fn text_code(&mut self, text: &str, value: Value<'_>) -> u32 {
        let Self { coded, texts, .. } = self;
        let hash = FxBuildHasher.hash_one(text);
        let is_same = |code: &u32| coded.values.value(*code as usize).text() == Some(text);
        if let Some(code) = texts.find(hash, is_same) {
            return *code;
        }
        let code = coded.add(value);
        let again = |code: &u32| {
            FxBuildHasher.hash_one(coded.values.value(*code as usize).text().unwrap_or_default())
        };
        texts.insert_unique(hash, code, again);
        code
    }

    /// The number of cells.
    fn len(&self) -> usize {
        self.coded.codes.len()
    }

    pub(crate) fn finish(self) -> Coded {
        self.coded
    }
}

impl Coded {
    /// No cells yet, with room for so many.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self { codes: Vec::with_capacity(rows), values: Row::default() }
    }

    /// Adds a cell, whether or not there is an equal one.
    pub(super) fn push(&mut self, value: Value<'_>) {
        let code = self.add(value);
        self.codes.push(code);
    }

    /// Adds a distinct cell and returns its code.
    pub(super) fn add(&mut self, value: Value<'_>) -> u32 {
        self.values.push(value);
        u32::try_from(self.values.len() - 1).expect("a batch has fewer cells")
    }
}

impl PlainCell {
    fn of(value: Value<'_>) -> Self {
        let (kind, bits) = match value {
            Value::Missing | Value::Text(_) | Value::Written(..) => (0, 0),
            Value::Nested => (1, 0),
            Value::Number(number) => (2, number.to_bits()),
            Value::Single(number) => (3, u64::from(number.to_bits())),
            Value::Integer(number) => (4, number.cast_unsigned()),
            Value::Date(days) => (5, days.to_bits()),
            // A decimal has 38 digits at most.
            Value::Decimal { digits, scale } => (8 + scale.min(200), digits.cast_unsigned()),
        };
        Self { kind, bits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_cells_are_kept_once_and_come_back() {
        let cells = [
            Value::Text("red"),
            Value::Missing,
            Value::Text("1"),
            Value::Integer(1),
            Value::Number(1.0),
            Value::Decimal { digits: 1, scale: 0 },
            Value::Decimal { digits: 1, scale: 1 },
            Value::Date(1.0),
            Value::Single(1.0),
            Value::Nested,
        ];
        let mut coder = Coder::default();
        for cell in cells.iter().chain(&cells) {
            coder.push(*cell);
        }
        let coded = coder.finish();
        assert_eq!(coded.values.len(), cells.len());
        let column = ColumnCells::Coded(coded);
        for (row, cell) in cells.iter().chain(&cells).enumerate() {
            assert_eq!(column.value(row), *cell);
        }
    }
}
