//! Columns of numbers that are surveyed side by side: the mean of each waits for a division at every number, and those of the
//! others fit into that time.

use std::ops::Range;

use super::ColumnSurvey;
use super::surveyed_rows::SurveyedRows;
use crate::data::split::Part;
use crate::data::table::moments::Moments;
use crate::data::table::value::Value;

/// The most columns side by side.
pub(super) const LANES: usize = 4;
/// The rows that are seen column by column before the next ones.
const BLOCK: usize = 512;

/// A column of a batch that has nothing but numbers, NaN where one is missing, and had a number before.
pub(super) struct NumberColumn<'a> {
    pub(super) survey: &'a mut ColumnSurvey,
    pub(super) cells: &'a [f64],
}

/// Adds the numbers of columns whose rows count alike, as one column after the other would be: to the same bits.
pub(super) fn see_side_by_side(columns: Vec<NumberColumn<'_>>, rows: SurveyedRows<'_>, sampled: usize) {
    match <[NumberColumn<'_>; LANES]>::try_from(columns) {
        Ok(columns) => see_lanes(columns, rows, sampled),
        Err(columns) => columns.into_iter().for_each(|column| see_lanes([column], rows, sampled)),
    }
}

fn see_lanes<const N: usize>(mut columns: [NumberColumn<'_>; N], rows: SurveyedRows<'_>, sampled: usize) {
    let (count, mut trained) = (rows.parts.len(), Vec::with_capacity(BLOCK));
    for start in (0..count).step_by(BLOCK) {
        let block = start..count.min(start + BLOCK);
        if columns.iter().any(|column| column.has(f64::is_infinite, block.clone())) {
            for column in &mut columns {
                column.see(block.clone(), rows, sampled);
            }
            continue;
        }
        trained.clear();
        trained.extend(block.clone().filter(|row| rows.parts[*row] == Part::Train));
        let is_missing: [bool; N] = std::array::from_fn(|lane| columns[lane].has(f64::is_nan, block.clone()));
        let mut moments: [Moments; N] = std::array::from_fn(|lane| columns[lane].survey.numbers);
        let cells: [&[f64]; N] = std::array::from_fn(|lane| columns[lane].cells);
        if is_missing == [false; N] {
            Moments::add_rows(&mut moments, cells, &trained);
        } else {
            for row in &trained {
                Moments::add_row(&mut moments, cells.map(|cells| cells[*row]));
            }
        }
        for ((column, moments), is_missing) in columns.iter_mut().zip(moments).zip(is_missing) {
            column.survey.numbers = moments;
            if is_missing {
                column.see_usual(block.clone(), rows, sampled);
            } else {
                column.see_order(&trained, sampled);
            }
        }
    }
}

impl NumberColumn<'_> {
    /// Whether any number of the block satisfies `is_so`.
    fn has(&self, is_so: impl Fn(f64) -> bool, block: Range<usize>) -> bool {
        self.cells[block].iter().fold(false, |has, number| has | is_so(*number))
    }

    /// Adds the numbers of a block one by one.
    fn see(&mut self, block: Range<usize>, rows: SurveyedRows<'_>, sampled: usize) {
        for row in block.filter(|row| rows.parts[*row] != Part::Unused) {
            let line = || rows.batch.line(row);
            self.survey.see_number(self.cells[row], line, rows.trained(row), sampled);
        }
    }

    /// Adds what is left of a block whose numbers are in the moments.
    fn see_usual(&mut self, block: Range<usize>, rows: SurveyedRows<'_>, sampled: usize) {
        let mut present = 0;
        for row in block.filter(|row| rows.parts[*row] != Part::Unused) {
            let (number, trained) = (self.cells[row], rows.trained(row));
            if number.is_nan() {
                self.survey.see(Value::Missing, rows.batch.line(row), trained, sampled);
            } else if trained.is_some() {
                present += 1;
                self.survey.see_order(number, sampled);
            }
        }
        self.survey.present += present;
    }

    /// The same of rows to train on of which none is missing.
    fn see_order(&mut self, rows: &[usize], sampled: usize) {
        self.survey.present += rows.len() as u64;
        if self.survey.ascending || sampled > 0 {
            for row in rows {
                self.survey.see_order(self.cells[*row], sampled);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::batch::{ColumnCells, LineNumbers, RecordBatch};
    use crate::data::table::survey::Survey;

    fn float(number: usize) -> f64 {
        f64::from(u32::try_from(number).unwrap())
    }

    /// Columns with missing and infinite cells at other places, more rows than a block, and all parts.
    #[test]
    fn columns_side_by_side_have_the_statistics_of_each_alone() {
        const ROWS: usize = 3 * BLOCK + 17;
        const PARTS: [Part; 5] = [Part::Train, Part::Validation, Part::Train, Part::Unused, Part::Test];
        let cell = |column: usize, row: usize| match (column, row) {
            (1, row) if row % 5 == 0 => f64::NAN,
            (2, 700) => f64::INFINITY,
            (3, row) => float(row),
            (4, _) => f64::NAN,
            _ => float((row * 7919 + column * 104_729) % 1009) / 7.0 - 50.0,
        };
        let columns: Vec<Vec<f64>> =
            (0..11).map(|column| (0..ROWS).map(|row| cell(column, row)).collect()).collect();
        let parts: Vec<Part> = (0..ROWS).map(|row| PARTS[row % 5]).collect();
        for quantiles in [false, true] {
            let mut together = Survey::new(&[false; 11], quantiles);
            let cells = columns.iter().cloned().map(ColumnCells::Numbers).collect();
            let batch = RecordBatch::new(ROWS, LineNumbers::From(2), cells);
            (0..2).for_each(|_| together.see_batch(&batch, &parts, &[]));
            for (column, own) in columns.iter().zip(&together.columns) {
                let mut alone = Survey::new(&[false], quantiles);
                let sampled = alone.sampled;
                for row in (0..2 * ROWS).map(|row| row % ROWS).filter(|row| parts[*row] != Part::Unused) {
                    let trained = (parts[row] == Part::Train).then_some(1.0);
                    alone.columns[0].see_number(column[row], || row as u64 + 2, trained, sampled);
                }
                let alone = &alone.columns[0];
                assert_eq!(own.numbers, alone.numbers);
                assert_eq!(own.numbers.mean.to_bits(), alone.numbers.mean.to_bits());
                assert_eq!((own.present, own.missing), (alone.present, alone.missing));
                assert_eq!(
                    (own.missing_anywhere, own.first_missing),
                    (alone.missing_anywhere, alone.first_missing)
                );
                assert_eq!((own.ascending, own.infinities), (alone.ascending, alone.infinities));
                assert_eq!(own.sorted_sample(false), alone.sorted_sample(false));
            }
        }
    }
}
