//! Rows that have a value in each of some columns.

use super::{Coded, ColumnCells, LineNumbers, RecordBatch};
use crate::data::table::row::Cells;
use crate::data::table::value::Value;

/// Whether a row has a value in each of these columns.
pub(in crate::data::table) fn is_complete(row: &impl Cells, columns: &[usize]) -> bool {
    columns.iter().all(|column| row.value(*column) != Value::Missing)
}

impl RecordBatch {
    /// Leaves out the rows without a value in one of these columns, as if the file did not have them; returns their number.
    pub(in crate::data::table) fn leave_out_incomplete(&mut self, columns: &[usize]) -> usize {
        let kept: Vec<usize> = (0..self.rows).filter(|row| is_complete(&self.row(*row), columns)).collect();
        let left_out = self.rows - kept.len();
        if left_out > 0 {
            self.columns = self.columns.iter().map(|cells| cells.of_rows(&kept)).collect();
            self.lines = LineNumbers::Each(kept.iter().map(|row| self.line(*row)).collect());
            self.rows = kept.len();
        }
        left_out
    }
}

impl ColumnCells {
    /// The cells of these rows.
    fn of_rows(&self, rows: &[usize]) -> Self {
        let of = |numbers: &[f64]| rows.iter().map(|row| numbers[*row]).collect();
        match self {
            Self::Numbers(numbers) => Self::Numbers(of(numbers)),
            Self::Dates(days) => Self::Dates(of(days)),
            Self::Coded(coded) => Self::Coded(coded.of_rows(rows)),
            Self::Absent => Self::Absent,
        }
    }
}

impl Coded {
    /// The cells of these rows, without the values that no row has.
    fn of_rows(&self, rows: &[usize]) -> Self {
        let mut own = Self::with_capacity(rows.len());
        let mut known: Vec<Option<u32>> = vec![None; self.values.len()];
        for row in rows {
            let code = self.codes[*row] as usize;
            let new = known[code].unwrap_or_else(|| own.add(self.values.value(code)));
            known[code] = Some(new);
            own.codes.push(new);
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_value_leave_nothing_behind() {
        let mut coded = Coded::default();
        for text in ["bad", "red", "blue", "red"] {
            coded.push(Value::Text(text));
        }
        let columns = vec![
            ColumnCells::Numbers(vec![f64::NAN, 1.0, f64::INFINITY, f64::NAN]),
            ColumnCells::Dates(vec![1.0, 2.0, f64::NAN, 4.0]),
            ColumnCells::Coded(coded),
            ColumnCells::Absent,
        ];
        let mut batch = RecordBatch::new(4, LineNumbers::From(2), columns);
        assert_eq!(batch.clone().leave_out_incomplete(&[2]), 0);
        assert_eq!(batch.clone().leave_out_incomplete(&[0, 1]), 3);
        assert_eq!(batch.clone().leave_out_incomplete(&[3]), 4);
        assert_eq!(batch.leave_out_incomplete(&[0]), 2);
        assert_eq!((batch.rows, batch.line(0), batch.line(1)), (2, 3, 4));
        assert_eq!(batch.row(1).value(0), Value::Number(f64::INFINITY));
        assert_eq!(batch.row(1).value(1), Value::Missing);
        assert_eq!(batch.row(0).value(2), Value::Text("red"));
        let ColumnCells::Coded(coded) = &batch.columns[2] else { panic!() };
        assert_eq!(coded.values.len(), 2);
    }
}
