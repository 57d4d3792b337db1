//! Columns of formats with types.

use super::{Coder, ColumnCells};
use crate::data::table::value::Value;

/// Collects the cells of a column of a format with types: as numbers or dates while they are nothing else.
#[derive(Debug, Default)]
pub(crate) struct CellsBuilder {
    numbers: Vec<f64>,
    kind: CellsKind,
    /// Whether all cells are kept as the file has them.
    text: bool,
    mixed: bool,
    coder: Coder,
}

/// Cells of a format with types that all are numbers, or all dates; NaN where one is missing.
#[derive(Debug)]
pub(crate) enum NumericCells {
    Numbers(Vec<f64>),
    Dates(Vec<f64>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum CellsKind {
    /// Nothing but missing cells so far.
    #[default]
    Unknown,
    Numbers,
    Dates,
    Coded,
}

impl CellsBuilder {
    /// A builder; `text` keeps all cells as the file has them.
    pub(crate) fn new(text: bool) -> Self {
        Self { kind: if text { CellsKind::Coded } else { CellsKind::Unknown }, text, ..Self::default() }
    }

    /// A builder with these cells.
    pub(crate) fn of(cells: NumericCells) -> Self {
        let (kind, numbers) = match cells {
            NumericCells::Numbers(numbers) => (CellsKind::Numbers, numbers),
            NumericCells::Dates(days) => (CellsKind::Dates, days),
        };
        let kind = if numbers.iter().all(|number| number.is_nan()) { CellsKind::Unknown } else { kind };
        Self { numbers, kind, ..Self::default() }
    }

    /// The number of cells.
    pub(crate) fn len(&self) -> usize {
        self.numbers.len().max(self.coder.len())
    }

    /// Adds a cell.
    pub(crate) fn push(&mut self, value: Value<'_>) {
        let (kind, number) = match value {
            _ if self.kind == CellsKind::Coded => {
                self.mixed |= !self.text && matches!(value, Value::Number(_));
                return self.coder.push(value);
            }
            Value::Missing => (self.kind, Some(f64::NAN)),
            Value::Date(days) => (CellsKind::Dates, Some(days)),
            Value::Text(_) | Value::Written(..) | Value::Nested => (CellsKind::Coded, None),
            number => (CellsKind::Numbers, number.number()),
        };
        if let Some(number) = number.filter(|_| self.kind == CellsKind::Unknown || self.kind == kind) {
            self.kind = kind;
            return self.numbers.push(number);
        }
        self.mixed |= self.kind != CellsKind::Unknown;
        self.kind = CellsKind::Coded;
        for _ in 0..std::mem::take(&mut self.numbers).len() {
            self.coder.push(Value::Missing);
        }
        self.coder.push(value);
    }

    /// Whether numbers, the text of numbers, or dates were lost because other cells are beside them.
    pub(crate) fn is_mixed(&self) -> bool {
        self.mixed
    }

    pub(crate) fn finish(self) -> ColumnCells {
        match self.kind {
            CellsKind::Unknown => ColumnCells::Absent,
            CellsKind::Numbers => ColumnCells::Numbers(self.numbers),
            CellsKind::Dates => ColumnCells::Dates(self.numbers),
            CellsKind::Coded => ColumnCells::Coded(self.coder.finish()),
        }
    }
}
