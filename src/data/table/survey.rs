//! What the columns of a table hold, found out in one pass in bounded memory.

use rustc_hash::FxHashMap;

use super::row::{Row, Value};
use crate::stats::quantile;

/// A column with more different values than this is no category.
pub(super) const MOST_CATEGORIES: usize = 100_000;
/// Different values of a column of numbers after which it is no category for sure.
const SURELY_NUMBERS: usize = 1000;
/// A longer text is no name.
const LONGEST_NAME: usize = 256;
/// The most numbers that medians and quartiles are taken of, over all columns.
const MOST_SAMPLED: usize = 1 << 23;
/// The most cells that an error shows.
const MOST_SHOWN: usize = 5;

/// Mean, spread and extremes of numbers, kept up to date as they come (Welford 1962).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    pub(super) count: f64,
    pub(super) mean: f64,
    squares: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { count: 0.0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    pub(super) fn add(&mut self, x: f64) {
        self.count += 1.0;
        let from_mean = x - self.mean;
        self.mean += from_mean / self.count;
        self.squares += from_mean * (x - self.mean);
        self.min = self.min.min(x);
        self.max = self.max.max(x);
    }

    /// The biased standard deviation, as scikit-learn's StandardScaler has it; 1 where all numbers are equal.
    pub(super) fn std(&self) -> f64 {
        let std = (self.squares / self.count).sqrt();
        if self.max > self.min && std > 0.0 { std } else { 1.0 }
    }
}

/// A cell as a message shows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ShownCell {
    pub(super) line: u64,
    pub(super) text: String,
}

/// The cells that are no numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct NoNumbers {
    first: Vec<ShownCell>,
    pub(super) count: u64,
}

impl NoNumbers {
    fn add(&mut self, cell: impl FnOnce() -> ShownCell) {
        if self.first.len() < MOST_SHOWN {
            self.first.push(cell());
        }
        self.count += 1;
    }

    /// "2 of its values are no numbers: `a` in line 3, `b` in line 4"
    pub(super) fn shown(&self) -> String {
        let cells: Vec<String> =
            self.first.iter().map(|cell| format!("{} in line {}", cell.text, cell.line)).collect();
        let more = if self.count > cells.len() as u64 { ", …" } else { "" };
        format!("{} of its values are no numbers: {}{more}", self.count, cells.join(", "))
    }
}

/// What one column holds.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
pub(super) struct Column {
    /// Training rows with a value.
    pub(super) present: u64,
    /// Training rows without one.
    pub(super) missing: u64,
    /// All rows without one.
    pub(super) missing_anywhere: u64,
    pub(super) numbers: Moments,
    pub(super) booleans: Moments,
    pub(super) dates: Moments,
    /// The rows anywhere whose value is no number.
    pub(super) no_numbers: NoNumbers,
    /// The first infinite number anywhere.
    pub(super) infinite: Option<ShownCell>,
    /// Training rows with an infinite number, or a name that reads as one.
    pub(super) infinities: f64,
    /// Whether no date is before the one of the row before.
    pub(super) dates_ascend: bool,
    last_date: f64,
    /// The line of the first row anywhere without a value.
    pub(super) first_missing: Option<u64>,
    /// Whether all numbers are whole and each is larger than the one before.
    pub(super) ascending: bool,
    last: f64,
    /// The names of the values with their counts.
    pub(super) names: FxHashMap<String, u64>,
    /// Whether there are values whose names were not kept.
    pub(super) lost: bool,
    /// Whether names are kept whatever they are.
    forced: bool,
    /// Numbers for the median.
    sample: Vec<f64>,
    dates_sample: Vec<f64>,
}

/// What all columns hold.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    pub(super) columns: Vec<Column>,
    /// How many numbers of a column are kept for medians.
    sampled: usize,
}

impl Survey {
    /// A survey of columns of which some are categories whatever they hold; `quantiles` keeps numbers for the medians.
    pub(super) fn new(categories: &[bool], quantiles: bool) -> Self {
        let column = |forced: &bool| Column {
            forced: *forced,
            ascending: true,
            dates_ascend: true,
            last_date: f64::NEG_INFINITY,
            last: f64::NEG_INFINITY,
            ..Column::default()
        };
        let each = MOST_SAMPLED / categories.len().max(1);
        Self {
            columns: categories.iter().map(column).collect(),
            sampled: if quantiles { each.max(1 << 14) } else { 0 },
        }
    }

    /// Takes a row in. Of one that is not trained on only what is wrong with it is kept.
    pub(super) fn see(&mut self, row: &Row, trained: bool) {
        for (index, column) in self.columns.iter_mut().enumerate() {
            column.see(row.value(index), row.line, trained, self.sampled);
        }
    }
}

impl Column {
    fn see(&mut self, value: Value<'_>, line: u64, trained: bool, sampled: usize) {
        if value == Value::Missing {
            self.missing_anywhere += 1;
            self.first_missing.get_or_insert(line);
            self.missing += u64::from(trained);
            return;
        }
        let number = value.number();
        // `nan` is a missing value, and a reader says so; what is left of it is none that can be used.
        let cell = || ShownCell { line, text: shown(value) };
        match number {
            Some(number) if !number.is_finite() => {
                self.infinite.get_or_insert_with(cell);
                if trained {
                    self.present += 1;
                    self.infinities += 1.0;
                    self.count(value, None);
                }
                return;
            }
            Some(_) => {}
            None => self.no_numbers.add(cell),
        }
        if !trained {
            return;
        }
        self.present += 1;
        if let Some(number) = number {
            self.numbers.add(number);
            self.ascending &= number.fract() == 0.0 && number > self.last;
            self.last = number;
            if self.sample.len() < sampled {
                self.sample.push(number);
            }
        } else if let Some(yes) = value.boolean() {
            self.booleans.add(f64::from(u8::from(yes)));
        } else if let Some(days) = value.date() {
            self.dates.add(days);
            self.dates_ascend &= days >= self.last_date;
            self.last_date = days;
            if self.dates_sample.len() < sampled {
                self.dates_sample.push(days);
            }
        }
        self.count(value, number);
    }

    /// Counts the value under its name.
    fn count(&mut self, value: Value<'_>, number: Option<f64>) {
        if self.lost {
            return;
        }
        let surely = !self.forced && self.no_numbers.count == 0 && self.names.len() > SURELY_NUMBERS;
        let long = matches!(value, Value::Text(text) if text.len() > LONGEST_NAME);
        if surely || long || self.names.len() > MOST_CATEGORIES {
            self.names = FxHashMap::default();
            self.lost = true;
            return;
        }
        if let (Value::Text(text), None) = (value, number)
            && let Some(count) = self.names.get_mut(text)
        {
            *count += 1;
            return;
        }
        if let Some(name) = value.name() {
            *self.names.entry(name).or_default() += 1;
        }
    }

    /// The first quartile, the median and the third quartile of the numbers, or of the dates where `dates`, between
    /// neighbours as numpy.percentile has them. Of very many numbers they are those of the first.
    pub(super) fn quartiles(&self, dates: bool) -> [f64; 3] {
        let mut sorted = if dates { self.dates_sample.clone() } else { self.sample.clone() };
        sorted.sort_unstable_by(f64::total_cmp);
        [0.25, 0.5, 0.75].map(|share| quantile(&sorted, share))
    }

    /// The names in the order of their numbers, where all are numbers, else of their letters.
    pub(super) fn sorted_names(&self) -> Vec<String> {
        sorted(self.names.keys().cloned().collect())
    }

    /// The most frequent name, and the first of several.
    pub(super) fn most_frequent(&self) -> Option<String> {
        let most = self.names.values().max()?;
        self.sorted_names().into_iter().find(|name| self.names[name] == *most)
    }
}

/// Names in the order of their numbers, where all are numbers, else of their letters.
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

/// A cell as a message shows it: short, and fit for a terminal.
pub(super) fn shown(value: Value<'_>) -> String {
    const MOST: usize = 40;
    let text = match value {
        Value::Missing => String::new(),
        Value::Number(number) | Value::Date(number) => number.to_string(),
        Value::Text(text) => text.chars().take(MOST + 1).collect(),
    };
    let cut: String = text.chars().take(MOST).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", cut.escape_debug())
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

    #[test]
    fn moments_are_the_populations() {
        let mut moments = Moments::default();
        for x in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            moments.add(x);
        }
        assert!((moments.mean - 5.0).abs() < 1e-12 && (moments.std() - 2.0).abs() < 1e-12);
    }
}
