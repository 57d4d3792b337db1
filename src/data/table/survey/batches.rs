//! The survey of batches, column by column on all cores.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::repeated::RepeatedCell;
use super::side_by_side::{LANES, NumberColumn, see_side_by_side};
use super::surveyed_rows::SurveyedRows;
use super::{ColumnSurvey, Survey};
use crate::data::split::Part;
use crate::data::table::batch::{Coded, ColumnCells, RecordBatch};
use crate::data::table::value::Value;

/// So few cells of a batch are surveyed by one thread.
const MOST_ALONE: usize = 1 << 14;

impl Survey {
    /// Adds the rows of a batch with their parts and weights, 1 each where there are none; those of no part are left out.
    pub(in crate::data::table) fn see_batch(&mut self, batch: &RecordBatch, parts: &[Part], weights: &[f64]) {
        let rows = SurveyedRows { batch, parts, weights };
        let sampled = self.sampled;
        let is_small = parts.len() * self.columns.len() < MOST_ALONE;
        let work = columns_of(&mut self.columns, rows);
        let see = |columns: SurveyedColumns<'_>| match columns {
            SurveyedColumns::Numbers(columns) => see_side_by_side(columns, rows, sampled),
            SurveyedColumns::Other(column, cells) => column.see_cells(cells, rows, sampled),
        };
        if is_small {
            work.into_iter().for_each(see);
        } else {
            work.into_par_iter().for_each(see);
        }
    }
}

/// What one thread surveys at a time.
enum SurveyedColumns<'a> {
    /// Up to [`LANES`] columns of numbers alone.
    Numbers(Vec<NumberColumn<'a>>),
    Other(&'a mut ColumnSurvey, Option<&'a ColumnCells>),
}

fn columns_of<'a>(columns: &'a mut [ColumnSurvey], rows: SurveyedRows<'a>) -> Vec<SurveyedColumns<'a>> {
    let (mut work, mut numbers) = (Vec::new(), Vec::new());
    for (index, survey) in columns.iter_mut().enumerate() {
        match rows.batch.columns.get(index) {
            // A column without a number so far is seen cell by cell.
            Some(ColumnCells::Numbers(cells))
                if !survey.forced && rows.weights.is_empty() && survey.first_number.is_some() =>
            {
                numbers.push(NumberColumn { survey, cells });
            }
            cells => work.push(SurveyedColumns::Other(survey, cells)),
        }
        if numbers.len() == LANES {
            work.push(SurveyedColumns::Numbers(std::mem::take(&mut numbers)));
        }
    }
    work.push(SurveyedColumns::Numbers(numbers));
    work
}

impl ColumnSurvey {
    /// Adds cells; none are missing.
    fn see_cells(&mut self, cells: Option<&ColumnCells>, rows: SurveyedRows<'_>, sampled: usize) {
        let batch = rows.batch;
        let used = (0..rows.parts.len()).filter(|row| rows.parts[*row] != Part::Unused);
        match cells {
            None => {
                used.for_each(|row| self.see(Value::Missing, batch.line(row), rows.trained(row), sampled));
            }
            Some(ColumnCells::Numbers(numbers)) if !self.forced => used.for_each(|row| {
                self.see_number(numbers[row], || batch.line(row), rows.trained(row), sampled);
            }),
            // A name's sum of weights would depend on where batches end.
            Some(ColumnCells::Coded(coded)) if rows.weights.is_empty() => {
                self.see_coded(coded, rows, used, sampled);
            }
            Some(cells) => {
                used.for_each(|row| self.see(cells.value(row), batch.line(row), rows.trained(row), sampled));
            }
        }
    }

    /// Adds cells of which each different one is kept once, and looks at the text of most only once.
    fn see_coded(
        &mut self,
        coded: &Coded,
        rows: SurveyedRows<'_>,
        used: impl Iterator<Item = usize>,
        sampled: usize,
    ) {
        let Coded { codes, values } = coded;
        let mut repeated: Vec<Option<RepeatedCell>> = vec![None; values.len()];
        for row in used {
            let (code, trained) = (codes[row] as usize, rows.trained(row));
            if let Some(cell) = &mut repeated[code]
                && self.see_again(cell, trained.is_some(), sampled)
            {
                continue;
            }
            let value = values.value(code);
            if let Some(cell) = repeated[code].take() {
                self.count_again(value, cell.count);
            }
            self.see(value, rows.batch.line(row), trained, sampled);
            if trained.is_some() && 2 * values.len() < codes.len() {
                repeated[code] = RepeatedCell::of(value);
            }
        }
        for (code, cell) in repeated.iter().enumerate() {
            if let Some(cell) = cell {
                self.count_again(values.value(code), cell.count);
            }
        }
    }

    /// Adds a number of a column that has nothing else, or NaN for a missing one. So it is no category, and its names
    /// are not counted.
    #[inline]
    pub(super) fn see_number(
        &mut self,
        number: f64,
        line: impl Fn() -> u64,
        trained: Option<f64>,
        sampled: usize,
    ) {
        if !number.is_finite() || self.first_number.is_none() {
            let value = if number.is_nan() { Value::Missing } else { Value::Number(number) };
            return self.see(value, line(), trained, sampled);
        }
        if let Some(weight) = trained {
            self.present += 1;
            self.learn_number(number, weight, sampled);
        }
    }

    #[inline]
    pub(super) fn learn_number(&mut self, number: f64, weight: f64, sampled: usize) {
        self.numbers.add(number, weight);
        self.see_order(number, sampled);
    }

    /// Adds what depends on the order of the numbers.
    #[inline]
    pub(super) fn see_order(&mut self, number: f64, sampled: usize) {
        if self.ascending {
            self.ascending = number > self.last && number.fract() == 0.0;
            self.last = number;
        }
        if sampled > 0 {
            self.sample.add(number, sampled);
        }
    }
}
