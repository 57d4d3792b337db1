//! Cells that a batch has several times.

use super::ColumnSurvey;
use crate::data::table::dates::DateForm;
use crate::data::table::value::Value;

/// A text that was seen before, in a row to train on.
#[derive(Debug, Clone, Copy)]
pub(super) struct RepeatedCell {
    meaning: CellMeaning,
    /// The further rows to train on that have it.
    pub(super) count: u32,
}

#[derive(Debug, Clone, Copy)]
enum CellMeaning {
    Number(f64),
    Boolean(bool),
    /// Days, written as in ISO 8601.
    Date(f64),
    Word,
}

impl RepeatedCell {
    /// The cell of a value that was surveyed; nothing where each further one has to be surveyed in full.
    pub(super) fn of(value: Value<'_>) -> Option<Self> {
        let Value::Text(_) = value else { return None };
        let meaning = match (value.number(), value.boolean()) {
            (Some(number), _) if number.is_finite() => CellMeaning::Number(number),
            (Some(_), _) => return None,
            (None, Some(yes)) => CellMeaning::Boolean(yes),
            (None, None) => value.date(DateForm::Iso).map_or(CellMeaning::Word, CellMeaning::Date),
        };
        Some(Self { meaning, count: 0 })
    }
}

impl ColumnSurvey {
    /// Adds a cell that was seen before but for its name, as [`Self::see`] does with weight 1; false where that has to do it.
    pub(super) fn see_again(&mut self, cell: &mut RepeatedCell, trained: bool, sampled: usize) -> bool {
        // The next cell gives the names up.
        if !self.lost && self.has_too_many_names() {
            return false;
        }
        match cell.meaning {
            // The ways of writing numbers are narrowed as soon as there are words.
            CellMeaning::Number(_) if self.no_numbers.count > 0 => return false,
            CellMeaning::Number(_) => {}
            CellMeaning::Boolean(_) if !self.no_numbers.is_full() => return false,
            CellMeaning::Date(_) | CellMeaning::Word
                if !self.no_numbers.is_full() || !self.dates.are_iso_alone() =>
            {
                return false;
            }
            CellMeaning::Word => {
                self.no_numbers.count += 1;
                self.dates.add_iso_misfit();
            }
            CellMeaning::Boolean(_) | CellMeaning::Date(_) => self.no_numbers.count += 1,
        }
        if trained {
            self.present += 1;
            cell.count += 1;
            match cell.meaning {
                CellMeaning::Number(number) => self.learn_number(number, 1.0, sampled),
                CellMeaning::Boolean(yes) => self.booleans.add(f64::from(u8::from(yes)), 1.0),
                CellMeaning::Date(days) => self.dates.add_iso(days, sampled),
                CellMeaning::Word => {}
            }
        }
        true
    }

    /// Adds `rows` training rows to the count of a name, where names are counted.
    pub(super) fn count_again(&mut self, value: Value<'_>, rows: u32) {
        if let Some(text) = value.text()
            && let Some(count) = self.names.get_mut(text)
        {
            *count += f64::from(rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use rustc_hash::FxHashMap;

    use super::super::Survey;
    use crate::data::split::Part;
    use crate::data::table::batch::{Coder, ColumnCells, LineNumbers, RecordBatch};
    use crate::data::table::value::Value;

    /// All that a survey found, as text.
    fn found(survey: &Survey) -> String {
        let column = &survey.columns[0];
        let mut names: Vec<_> = column.names.iter().collect();
        names.sort_by(|a, b| a.0.cmp(b.0));
        let column = super::ColumnSurvey { names: FxHashMap::default(), ..column.clone() };
        format!("{column:?} {names:?}")
    }

    /// Surveys batches of 700 cells, and the same cells one by one.
    fn compare(forced: bool, cell: impl Fn(usize, usize) -> &'static str) {
        let (mut batches, mut rows) = (Survey::new(&[forced], true), Survey::new(&[forced], true));
        let mut state = 1u64;
        for first in (0..6).map(|batch| 2 + 700 * batch) {
            let mut coder = Coder::default();
            let (mut values, mut parts) = (Vec::new(), Vec::new());
            for row in 0..700 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let place = usize::try_from(state >> 33).unwrap();
                let text = cell(place, row);
                values.push(if text.is_empty() { Value::Missing } else { Value::Text(text) });
                parts.push([Part::Train, Part::Train, Part::Test, Part::Unused][place % 11 % 4]);
            }
            for value in &values {
                coder.push(*value);
            }
            let column = ColumnCells::Coded(coder.finish());
            let batch = RecordBatch::new(700, LineNumbers::From(first), vec![column]);
            batches.see_batch(&batch, &parts, &[]);
            for ((line, value), part) in (first..).zip(values).zip(parts) {
                if part != Part::Unused {
                    let trained = (part == Part::Train).then_some(1.0);
                    rows.columns[0].see(value, line, trained, rows.sampled);
                }
            }
        }
        assert_eq!(found(&batches), found(&rows));
    }

    #[test]
    fn repeated_cells_are_surveyed_as_cells_one_by_one() {
        let kinds: [&[&str]; 7] = [
            &["red", "green", "blue"],
            &["yes", "no", "yes "],
            &["2024-01-02", "2024-02-29", "1999-12-31"],
            &["1", "2.5", "1e3", "inf"],
            &["1", "red", "2024-01-02", "true", "20.11.2023", "1.234,5"],
            &["20.11.2023", "01.02.2023"],
            &["", "NA", "x"],
        ];
        // Cells that become others within a batch.
        let late: [[&[&str]; 2]; 3] = [
            [&["1", "1", "1", "2"], &["red", "red", "red", "red", "red", "1"]],
            [&["yes", "no"], &["yes", "3", "7"]],
            [&["2024-01-02"], &["2024-01-02", "20.11.2023", "soon"]],
        ];
        for forced in [true, false] {
            for cells in kinds {
                compare(forced, |place, _| cells[place % cells.len()]);
            }
            for [early, late] in late {
                let cells = |row| if row < 400 { early } else { late };
                compare(forced, |place, row| cells(row)[place % cells(row).len()]);
            }
        }
    }
}
