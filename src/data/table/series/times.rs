//! Reads the time and the series of each row.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::clock::{ReadTimes, TimeColumn};
use crate::data::preprocess::SeriesOrder;
use crate::data::table::dates::DateForm;
use crate::data::table::named::{self, Named};
use crate::data::table::read::quoted;
use crate::data::table::row::Cells;
use crate::data::table::value::Value;
use crate::error::{Error, Result};

/// Reads the time and the series of each row of a file.
pub(super) struct TimesReader<'a> {
    path: &'a Path,
    columns: &'a [String],
    clocks: Vec<TimeColumn>,
    groups: Vec<usize>,
    known: FxHashMap<Vec<String>, u32>,
    series: Vec<u32>,
    lines: Vec<u64>,
}

/// The time and the series of each row.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// The column of the time.
    pub(super) column: Option<String>,
    /// The time of each row: days where the column has dates.
    pub(super) times: Vec<f64>,
    /// The form of the times, where they are dates.
    pub(super) form: Option<DateForm>,
    /// The number of the series of each row.
    pub(super) series: Vec<u32>,
    /// The name of each series.
    pub(super) names: Vec<String>,
    /// The line of each row.
    pub(super) lines: Vec<u64>,
}

/// Times that no other row of their series has.
#[derive(Debug)]
pub(super) struct UniqueTimes {
    pub(super) times: Times,
    /// The rows that were left out: they have the time of another before them in the file.
    pub(super) repeated: usize,
    /// The lines of the first of them and of the row before it.
    pub(super) first: Option<[u64; 2]>,
}

impl Times {
    /// The times without the rows that repeat one of their series.
    pub(super) fn unique(self) -> UniqueTimes {
        let Self { column, times, form, series, names, lines } = self;
        let mut kept = Self { column, form, names, ..Self::default() };
        let mut seen: FxHashMap<(u64, u32), u64> = FxHashMap::default();
        let (mut repeated, mut first) = (0, None);
        for (row, (time, line)) in times.into_iter().zip(lines).enumerate() {
            let own = series.get(row).copied();
            if let Some(before) = seen.get(&(time.to_bits(), own.unwrap_or(0))) {
                repeated += 1;
                first.get_or_insert([*before, line]);
                continue;
            }
            seen.insert((time.to_bits(), own.unwrap_or(0)), line);
            kept.times.push(time);
            kept.lines.push(line);
            kept.series.extend(own);
        }
        UniqueTimes { times: kept, repeated, first }
    }
}

impl<'a> TimesReader<'a> {
    /// A reader of the columns that `order` names. Where it names no time, the first of `candidates` that holds a date in
    /// every row is the time, or the first that holds a period where none holds dates.
    ///
    /// # Errors
    /// A column is absent.
    pub(super) fn new(
        path: &'a Path,
        columns: &'a [String],
        order: &SeriesOrder,
        candidates: &[usize],
    ) -> Result<Self> {
        let place = |named| named::place(path, columns, named, true);
        let clock = |column, named| TimeColumn::new(column, named, order.form);
        let clocks = match &order.time {
            Some(name) => vec![clock(place(Named::time(name))?, true)],
            None => candidates.iter().map(|column| clock(*column, false)).collect(),
        };
        let groups = order.group.iter().map(|name| place(Named::group(name))).collect::<Result<_>>()?;
        let (known, series, lines) = (FxHashMap::default(), Vec::new(), Vec::new());
        Ok(Self { path, columns, clocks, groups, known, series, lines })
    }

    /// Takes the next row.
    pub(super) fn see(&mut self, row: &impl Cells) -> Result<()> {
        let first = self.lines.is_empty();
        for clock in self.clocks.iter_mut().filter(|clock| clock.named) {
            let problem = clock.see(row.value(clock.column), first).err();
            if let Some(problem) = problem {
                let column = quoted(&self.columns[clock.column]);
                let problem = format!("line {}, column {column}: the time {problem}", row.line());
                return Err(Error::data(self.path, problem));
            }
        }
        self.clocks.retain_mut(|clock| {
            let value = row.value(clock.column);
            if !clock.named && value == Value::Missing {
                clock.missing.get_or_insert(row.line());
                return true;
            }
            clock.named || clock.see(value, first).is_ok()
        });
        if !self.groups.is_empty() {
            let series = self.group(row)?;
            self.series.push(series);
        }
        self.lines.push(row.line());
        Ok(())
    }

    /// The number of the series of a row.
    fn group(&mut self, row: &impl Cells) -> Result<u32> {
        let mut names = Vec::new();
        for column in &self.groups {
            let Some(name) = row.value(*column).name() else {
                let column = quoted(&self.columns[*column]);
                let problem = format!(
                    "line {}, column {column}: the name of the series is missing; fill it",
                    row.line()
                );
                return Err(Error::data(self.path, problem));
            };
            names.push(name);
        }
        let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        Ok(*self.known.entry(names).or_insert(next))
    }

    /// The times read.
    ///
    /// # Errors
    /// No column holds a date in every row, but one does in most; the dates of the time may be of two forms.
    pub(super) fn finish(mut self) -> Result<Times> {
        let is_whole = |clock: &TimeColumn| clock.missing.is_none() && clock.len() > 0;
        let is_likely = |clock: &&TimeColumn| 2 * clock.len() > self.lines.len();
        let likely = self.clocks.iter().find(is_likely).filter(|_| !self.clocks.iter().any(is_whole));
        if let Some(TimeColumn { column, missing: Some(line), .. }) = likely {
            let column = quoted(&self.columns[*column]);
            let problem = format!(
                "line {line}, column {column}: the time is missing; fill it, or make the column \"ignore\" in \
                 `[data.columns]` if it is not the time"
            );
            return Err(Error::data(self.path, problem));
        }
        self.clocks.retain(|clock| clock.missing.is_none());
        self.times()
    }

    fn times(self) -> Result<Times> {
        let mut names = vec![String::new(); self.known.len()];
        for (name, number) in self.known {
            names[number as usize] = name.join(", ");
        }
        let Self { path, columns, mut clocks, series, lines, .. } = self;
        clocks.sort_by_key(TimeColumn::has_periods);
        let rest = Times { series, names, lines, ..Times::default() };
        for clock in clocks.into_iter().filter(|clock| clock.len() > 0) {
            let column = &columns[clock.column];
            match clock.finish() {
                Ok(ReadTimes { form, times }) => {
                    return Ok(Times { column: Some(column.clone()), times, form, ..rest });
                }
                Err(Some(problem)) => {
                    return Err(Error::data(path, format!("column {}: {problem}", quoted(column))));
                }
                Err(None) => {}
            }
        }
        Ok(rest)
    }
}
