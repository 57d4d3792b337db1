//! Statistics of all columns of a table, gathered in one pass and in bounded memory.

mod batches;
mod repeated;
mod side_by_side;
mod surveyed_rows;
mod words;

use rustc_hash::FxHashMap;

use super::date_survey::DateSurvey;
use super::moments::Moments;
use super::number_forms::NumberForms;
use super::number_sample::NumberSample;
use super::row::Row;
use super::shown::{NoNumbers, ShownCell, shown};
use super::value::Value;

pub(super) use words::MOST_WORDS;

/// The most categories of a column.
pub(super) const MOST_CATEGORIES: usize = 100_000;
/// A numeric column with more distinct values than this is certainly not a category.
const SURELY_NUMBERS: usize = 1000;
/// The longest category name, in bytes.
const LONGEST_NAME: usize = 256;
/// The most numbers kept for medians and other quantiles, over all columns; of more a random sample.
const MOST_SAMPLED: usize = 1 << 23;

/// Statistics of one column.
#[derive(Debug, Clone, Default)]
pub(super) struct ColumnSurvey {
    /// Training rows with a value.
    pub(super) present: u64,
    /// Training rows without a value.
    pub(super) missing: u64,
    /// Rows of any part without a value.
    pub(super) missing_anywhere: u64,
    pub(super) numbers: Moments,
    pub(super) booleans: Moments,
    pub(super) dates: DateSurvey,
    /// The cells of any part that are not numbers.
    pub(super) no_numbers: NoNumbers,
    /// The ways of writing numbers in which all cells are some, if one is not in the table's own.
    pub(super) number_forms: NumberForms,
    /// The first number of any part.
    pub(super) first_number: Option<ShownCell>,
    /// The first truth value of any part.
    pub(super) first_boolean: Option<ShownCell>,
    /// The first cell of any part that is neither.
    pub(super) first_text: Option<ShownCell>,
    /// The first infinite number of each sign, of any part.
    pub(super) infinite: Vec<ShownCell>,
    /// Whether one that is positive was seen, and one that is negative.
    infinite_signs: [bool; 2],
    /// The line of the first cell of any part that is text, also of one that looks like a number.
    pub(super) first_written: Option<u64>,
    /// Training rows with an infinite number, or a name that parses as one.
    pub(super) infinities: f64,
    /// The line of the first list or object of any part.
    pub(super) nested: Option<u64>,
    /// The line of the first row of any part without a value.
    pub(super) first_missing: Option<u64>,
    /// Whether the numbers are integers and strictly increase.
    pub(super) ascending: bool,
    last: f64,
    /// The number of rows of each category name, as often as their weights say.
    pub(super) names: FxHashMap<String, f64>,
    /// Whether `names` was given up because there were too many.
    pub(super) lost: bool,
    /// Whether the column is a category whatever it holds.
    forced: bool,
    /// Numbers for the median.
    sample: NumberSample,
}

/// Statistics of all columns.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    pub(super) columns: Vec<ColumnSurvey>,
    /// The most numbers of a column that are kept for medians.
    sampled: usize,
}

impl Survey {
    /// A survey of columns, of which those marked are categories whatever they hold; `quantiles` keeps numbers for medians.
    pub(super) fn new(categories: &[bool], quantiles: bool) -> Self {
        let column = |forced: &bool| ColumnSurvey {
            forced: *forced,
            ascending: true,
            last: f64::NEG_INFINITY,
            ..ColumnSurvey::default()
        };
        let each = MOST_SAMPLED / categories.len().max(1);
        Self {
            columns: categories.iter().map(column).collect(),
            sampled: if quantiles { each.max(1 << 14) } else { 0 },
        }
    }

    /// Adds a row. Held-out rows only count as missing cells and cells that are not numbers.
    pub(super) fn see(&mut self, row: &Row, trained: bool) {
        let trained = trained.then_some(1.0);
        for (index, column) in self.columns.iter_mut().enumerate() {
            column.see(row.value(index), row.line, trained, self.sampled);
        }
    }
}

impl ColumnSurvey {
    /// Adds a value of a row to train on, with its weight, or of another.
    fn see(&mut self, value: Value<'_>, line: u64, trained: Option<f64>, sampled: usize) {
        if value == Value::Missing {
            self.missing_anywhere += 1;
            self.first_missing.get_or_insert(line);
            self.missing += u64::from(trained.is_some());
            return;
        }
        if value == Value::Nested {
            self.nested.get_or_insert(line);
            self.present += u64::from(trained.is_some());
            return;
        }
        self.first_written = self.first_written.or(matches!(value, Value::Text(_)).then_some(line));
        let number = value.number();
        // Readers turn `nan` into a missing value, so any other NaN cannot be used.
        let cell = || ShownCell { line, text: shown(value) };
        match number {
            Some(number) if !number.is_finite() => {
                self.see_infinite(number, &cell);
                if let Some(weight) = trained {
                    self.present += 1;
                    self.infinities += 1.0;
                    self.count(value, weight);
                }
                return;
            }
            Some(_) => {
                self.first_number.get_or_insert_with(cell);
                if self.no_numbers.count > 0 {
                    self.number_forms.see(value);
                }
            }
            None => self.see_no_number(value, &cell, trained, sampled),
        }
        if let Some(weight) = trained {
            self.present += 1;
            self.learn(value, number, weight, sampled);
            self.count(value, weight);
        }
    }

    /// Keeps the first infinite number of each sign.
    fn see_infinite(&mut self, number: f64, cell: &impl Fn() -> ShownCell) {
        let is_seen = &mut self.infinite_signs[usize::from(number.is_sign_negative())];
        if !std::mem::replace(is_seen, true) {
            self.infinite.push(cell());
        }
    }

    /// Sees a value that is no number, and that `cell` shows.
    fn see_no_number(
        &mut self,
        value: Value<'_>,
        cell: &impl Fn() -> ShownCell,
        trained: Option<f64>,
        sampled: usize,
    ) {
        self.see_number_forms(value);
        self.no_numbers.add(cell);
        if value.boolean().is_some() {
            self.first_boolean.get_or_insert_with(cell);
        } else {
            self.first_text.get_or_insert_with(cell);
            self.dates.see(value, trained, sampled, cell);
        }
    }

    /// Narrows the ways of writing numbers by a cell that is none in the table's own.
    fn see_number_forms(&mut self, value: Value<'_>) {
        if self.no_numbers.count > 0 {
            self.number_forms.see(value);
            return;
        }
        // The cells before it were not looked at.
        if self.forced || self.lost {
            return;
        }
        self.number_forms = NumberForms::of(value);
        for name in self.names.keys() {
            self.number_forms.see(Value::Text(name));
        }
    }

    /// Adds a value of a training row to the statistics of its kind.
    fn learn(&mut self, value: Value<'_>, number: Option<f64>, weight: f64, sampled: usize) {
        if let Some(number) = number {
            self.learn_number(number, weight, sampled);
        } else if let Some(yes) = value.boolean() {
            self.booleans.add(f64::from(u8::from(yes)), weight);
        }
    }

    /// Counts the value as a category.
    fn count(&mut self, value: Value<'_>, weight: f64) {
        if self.lost {
            return;
        }
        let long = value.text().is_some_and(|text| text.len() > LONGEST_NAME);
        if long || self.has_too_many_names() {
            self.names = FxHashMap::default();
            self.lost = true;
            return;
        }
        if let Some(text) = value.text()
            && let Some(count) = self.names.get_mut(text)
        {
            *count += weight;
            return;
        }
        if let Some(name) = value.name() {
            *self.names.entry(name).or_default() += weight;
        }
    }

    /// Whether there are more names than a category has.
    fn has_too_many_names(&self) -> bool {
        let surely = !self.forced && self.no_numbers.count == 0 && self.names.len() > SURELY_NUMBERS;
        surely || self.names.len() > MOST_CATEGORIES
    }

    /// Whether some cells are numbers and others are not.
    pub(super) fn is_mixed(&self) -> bool {
        self.numbers.count > 0.0 && self.no_numbers.count > 0
    }

    /// Whether at least half of the training rows' values are numbers.
    #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
    pub(super) fn is_mostly_numbers(&self) -> bool {
        2.0 * (self.numbers.count + self.infinities) >= self.present as f64
    }

    /// The numbers, or the dates, in order; of very many a random sample.
    pub(super) fn sorted_sample(&self, dates: bool) -> Vec<f64> {
        let sample = if dates { &self.dates.of(self.present).sample } else { &self.sample };
        sample.sorted()
    }

    /// The names, sorted as [`sorted`] does.
    pub(super) fn sorted_names(&self) -> Vec<String> {
        sorted(self.names.keys().cloned().collect())
    }

    /// The most frequent name; the first of several.
    pub(super) fn most_frequent(&self) -> Option<String> {
        let most = self.names.values().max_by(|a, b| a.total_cmp(b))?;
        self.sorted_names().into_iter().find(|name| self.names[name].total_cmp(most).is_eq())
    }
}

/// Sorts names numerically if all are numbers, else alphabetically.
pub(super) fn sorted(mut names: Vec<String>) -> Vec<String> {
    let numbers: Option<Vec<f64>> = names.iter().map(|name| name.parse().ok()).collect();
    if numbers.is_some_and(|numbers| numbers.iter().all(|number| number.is_finite())) {
        let number = |name: &String| name.parse::<f64>().unwrap_or(0.0);
        names.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)));
    } else {
        names.sort_unstable();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_numbers() {
        let names = |names: &[&str]| sorted(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(names(&["10", "9", "-1"]), ["-1", "9", "10"]);
        assert_eq!(names(&["10", "9", "x"]), ["10", "9", "x"]);
    }
}
