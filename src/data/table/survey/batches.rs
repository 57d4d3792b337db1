//! The survey of batches, column by column on all cores.

use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::repeated::RepeatedCell;
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
        let see = |(index, column): (usize, &mut ColumnSurvey)| {
            column.see_cells(batch.columns.get(index), rows, sampled);
        };
        if is_small {
            self.columns.iter_mut().enumerate().for_each(see);
        } else {
            self.columns.par_iter_mut().enumerate().for_each(see);
        }
    }
}

/// The rows of a batch.
#[derive(Clone, Copy)]
struct SurveyedRows<'a> {
    batch: &'a RecordBatch,
    parts: &'a [Part],
    /// Empty where rows count alike.
    weights: &'a [f64],
}

impl SurveyedRows<'_> {
    /// The weight of a row to train on; nothing of another.
    fn trained(self, row: usize) -> Option<f64> {
        (self.parts[row] == Part::Train).then(|| self.weights.get(row).copied().unwrap_or(1.0))
    }
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
    fn see_number(&mut self, number: f64, line: impl Fn() -> u64, trained: Option<f64>, sampled: usize) {
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
        self.ascending = self.ascending && number > self.last && number.fract() == 0.0;
        self.last = number;
        self.sample.add(number, sampled);
    }
}
