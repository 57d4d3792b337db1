//! The key of each row, by which predictions are joined with the data: columns of a table, the time of a series, the
//! file of a picture.

use std::collections::VecDeque;
use std::path::Path;

use super::columns::Cell;
use crate::data::preprocess::SeriesOrder;
use crate::data::table::dates;
use crate::data::table::read::{Records, known_columns, listed, quoted};
use crate::data::table::series::FutureRows;
use crate::data::table::{DateForm, Row, Value, written_like};
use crate::error::{Error, Result};
use crate::stats::EXACT;

/// The columns that are a row's key, besides a picture's file and the time of a series.
pub(super) type Keep<'a> = &'a [String];

/// A cell of a key, as the input has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum KeyCell {
    Missing,
    Integer(i64),
    Number(f64),
    /// A number of JSON, by its text.
    Written(String, f64),
    Text(String),
}

impl KeyCell {
    pub(super) fn cell(&self) -> Cell<'_> {
        match self {
            Self::Missing => Cell::Missing,
            Self::Integer(number) => Cell::Integer(*number),
            Self::Number(number) => Cell::Number(*number),
            Self::Written(text, number) => Cell::Written(text, *number),
            Self::Text(text) => Cell::Text(text),
        }
    }

    /// The cell of a key.
    pub(super) fn of(value: Value<'_>) -> Self {
        match value {
            Value::Missing | Value::Nested => Self::Missing,
            Value::Number(number) => Self::Number(number),
            Value::Integer(number) => Self::Integer(number),
            Value::Single(_) | Value::Decimal { .. } => Self::of_digits(value),
            Value::Date(days) => Self::Text(dates::written_iso(days)),
            Value::Written(text, number) if is_json(text, number) => Self::Written(text.to_owned(), number),
            Value::Text(text) | Value::Written(text, _) => Self::Text(text.to_owned()),
        }
    }

    /// The time of a later row, written as this one is: in days where its dates have a form.
    fn later(&self, time: f64, form: Option<DateForm>) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "checked to be whole")]
        let whole = Some(time as i64).filter(|_| time.fract() == 0.0 && time.abs() <= EXACT);
        match (self, form, whole) {
            (Self::Text(text), Some(form), _) => Self::Text(written_like(text, form, time)),
            (Self::Text(_), None, Some(whole)) => Self::Text(whole.to_string()),
            (Self::Text(_), None, None) => Self::Text(time.to_string()),
            (Self::Integer(_) | Self::Written(..), _, Some(whole)) => Self::Integer(whole),
            (Self::Integer(_) | Self::Number(_) | Self::Written(..), ..) => Self::Number(time),
            (Self::Missing, ..) => Self::Missing,
        }
    }

    /// Whether it is a text that names the month of May.
    fn is_of_may(&self) -> bool {
        matches!(self, Self::Text(text) if text.to_ascii_lowercase().contains("may"))
    }

    /// A number by its digits, which are kept as text where a double would not keep them all.
    fn of_digits(value: Value<'_>) -> Self {
        let text = value.name().unwrap_or_default();
        match text.parse::<f64>() {
            Ok(number) if number.abs() <= EXACT => Self::Number(number),
            _ => Self::Text(text),
        }
    }
}

/// Whether JSON has this text for this number, too. `1.234` may be a number of thousands elsewhere.
fn is_json(text: &str, number: f64) -> bool {
    number.is_finite()
        && serde_json::from_str::<f64>(text).is_ok_and(|read| read.to_bits() == number.to_bits())
}

/// The columns of a table that are a row's key.
#[derive(Debug, Default)]
pub(super) struct KeyColumns {
    pub(super) names: Vec<String>,
    /// Their places in the file.
    places: Vec<usize>,
}

impl KeyColumns {
    /// The columns `keep` of a table with these columns.
    ///
    /// # Errors
    /// A column is not there, or the output has one of its name.
    pub(super) fn new(path: &Path, columns: &[String], keep: &[String]) -> Result<Self> {
        let mut keys = Self::default();
        for name in keep {
            let Some(place) = columns.iter().position(|own| own == name) else {
                let is_list =
                    name.contains(',') && name.split(',').all(|part| columns.iter().any(|own| own == part));
                let hint = if is_list {
                    format!("repeat --keep for each; {}", listed(columns))
                } else {
                    known_columns(name, columns)
                };
                let (path, name) = (path.display(), quoted(name));
                let problem = format!("--keep: there is no column {name} in {path}; {hint}");
                return Err(Error::Config(problem));
            };
            keys.add(name, place);
        }
        Ok(keys)
    }

    /// Their places in the file.
    pub(super) fn places(&self) -> &[usize] {
        &self.places
    }

    /// Puts a column before the others, unless it is one of them.
    fn add_first(&mut self, name: &str, columns: &[String]) {
        let place = columns.iter().position(|own| own == name);
        if let Some(place) = place.filter(|_| !self.names.iter().any(|own| own == name)) {
            self.names.insert(0, name.to_owned());
            self.places.insert(0, place);
        }
    }

    fn add(&mut self, name: &str, place: usize) {
        if !self.names.iter().any(|own| own == name) {
            self.names.push(name.to_owned());
            self.places.push(place);
        }
    }
}

/// The rows of a table, whose keys are kept as they are read.
pub(super) struct KeyedRecords<'a> {
    records: &'a mut dyn Records,
    pub(super) columns: KeyColumns,
    /// The columns that may hold the time, until the first row decides.
    times: Vec<&'a str>,
    /// The keys of the rows that were read and not taken.
    cells: VecDeque<KeyCell>,
}

impl<'a> KeyedRecords<'a> {
    /// The rows of the file `path` with the columns `keep` as their keys.
    pub(super) fn new(records: &'a mut dyn Records, path: &Path, keep: &[String]) -> Result<Self> {
        let columns = KeyColumns::new(path, records.columns(), keep)?;
        Ok(Self { records, columns, times: Vec::new(), cells: VecDeque::new() })
    }

    /// The same with the key of a series before the other columns: the columns of the group, and the time. If no column
    /// is known as the time, it is the first of `ignored` with a date in the first row.
    pub(super) fn with_series(mut self, order: &SeriesOrder, ignored: Vec<&'a str>) -> Self {
        match &order.time {
            Some(time) => self.columns.add_first(time, self.records.columns()),
            None => self.times = ignored,
        }
        for name in order.group.iter().rev() {
            self.columns.add_first(name, self.records.columns());
        }
        self
    }

    /// The keys of the rows that follow the last one of a series: its group, and their times; none of the rows was taken.
    pub(super) fn keys_beyond(&self, future: &FutureRows, order: &SeriesOrder) -> Vec<KeyCell> {
        let names = &self.columns.names;
        let cell =
            |index: usize, name: &String, row: usize| match self.cells.get(future.last * names.len() + index)
            {
                Some(last) if order.time.as_ref() == Some(name) => {
                    // May is as long as its abbreviation.
                    let other =
                        || self.cells.iter().skip(index).step_by(names.len()).find(|cell| !cell.is_of_may());
                    let like = if last.is_of_may() { other().unwrap_or(last) } else { last };
                    future.times.get(row).map_or(KeyCell::Missing, |time| like.later(*time, future.form))
                }
                Some(last) if order.group.contains(name) => last.clone(),
                _ => KeyCell::Missing,
            };
        let row = |row: usize| names.iter().enumerate().map(move |(index, name)| cell(index, name, row));
        (0..future.windows.len()).flat_map(row).collect()
    }

    /// The keys of the next rows.
    pub(super) fn take(&mut self, rows: usize) -> Vec<KeyCell> {
        self.cells.drain(..rows * self.columns.names.len()).collect()
    }
}

impl Records for KeyedRecords<'_> {
    fn columns(&self) -> &[String] {
        self.records.columns()
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        if !self.records.next(row)? {
            return Ok(false);
        }
        let times = std::mem::take(&mut self.times);
        let columns = self.records.columns();
        let is_time = |(place, name): &(usize, &String)| {
            times.contains(&name.as_str()) && row.value(*place).date(DateForm::Iso).is_some()
        };
        if let Some((_, name)) = columns.iter().enumerate().find(is_time) {
            self.columns.add_first(name, columns);
        }
        self.cells.extend(self.columns.places.iter().map(|place| KeyCell::of(row.value(*place))));
        Ok(true)
    }
}
