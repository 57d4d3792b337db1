//! The order of the rows of one or several series, and where it is broken.

use std::ops::Range;
use std::path::Path;

use super::calendar;
use super::step::TimeStep;
use super::times::Times;
use crate::data::preprocess::{CalendarStep, SeriesOrder};
use crate::data::split::{Part, SplitPlan, TimeSplit};
use crate::data::table::dates::{self, DateForm};
use crate::data::table::read::quoted;
use crate::error::{Error, Result};

/// The rows of a file in the order of series and time.
#[derive(Debug)]
pub struct Timeline {
    /// The numbers of the rows, series after series, each in the order of time.
    order: Vec<u32>,
    /// The places of each series in `order`.
    series: Vec<Range<usize>>,
    /// The places of rows that follow each other without a gap.
    runs: Vec<Range<usize>>,
    times: Times,
    step: Option<TimeStep>,
    /// The most rows that may be missing between two consecutive rows.
    max_gap: usize,
}

/// The step from a row to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowStep {
    /// The place of the later row.
    pub(super) place: usize,
    /// The times of both.
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Timeline {
    /// Orders rows. The step is known from training, or else the most frequent difference of two rows.
    ///
    /// # Errors
    /// Times that fall, unless they are to be sorted, and two rows of one series with the same time.
    pub(super) fn new(path: &Path, times: Times, known: &SeriesOrder) -> Result<Self> {
        let count = times.lines.len();
        let mut order: Vec<u32> = (0..u32::try_from(count).unwrap_or(u32::MAX)).collect();
        // Stable: rows of one series stay as they are in the file where they are not sorted.
        order.sort_by_key(|row| times.series.get(*row as usize).copied());
        let mut series = Vec::new();
        let mut start = 0;
        for own in order.chunk_by(|a, b| times.series.get(*a as usize) == times.series.get(*b as usize)) {
            series.push(start..start + own.len());
            start += own.len();
        }
        let mut timeline = Self { order, series, runs: Vec::new(), times, step: None, max_gap: 0 };
        if !timeline.times.times.is_empty() {
            timeline.sort(path, known)?;
            timeline.find_step(path, known)?;
        }
        timeline.runs = timeline.runs_across(timeline.max_gap);
        timeline.breaks().log(path, &timeline);
        Ok(timeline)
    }

    /// The time of the row at a place; 0 where there are no times.
    pub(super) fn time(&self, place: usize) -> f64 {
        self.times.times.get(self.order[place] as usize).copied().unwrap_or(0.0)
    }

    /// The row at a place for people: its time, its series, and its line.
    pub(super) fn described(&self, place: usize) -> String {
        let Times { times, form, series, names, .. } = &self.times;
        let row = self.order[place] as usize;
        let time = times.get(row).map(|time| match form {
            Some(_) => dates::written(*time),
            None => time.to_string(),
        });
        let name = series.get(row).and_then(|series| names.get(*series as usize)).map(|name| quoted(name));
        let line = format!("line {}", self.line(place));
        time.into_iter().chain(name).chain([line]).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn line(&self, place: usize) -> u64 {
        self.times.lines[self.order[place] as usize]
    }

    /// Sorts the rows of each series by time, or checks that they are.
    fn sort(&mut self, path: &Path, known: &SeriesOrder) -> Result<()> {
        let column = quoted(self.times.column.as_deref().unwrap_or_default());
        for series in self.series.clone() {
            if known.sort {
                let times = &self.times.times;
                self.order[series.clone()].sort_by(|a, b| times[*a as usize].total_cmp(&times[*b as usize]));
            }
            for place in series.skip(1).collect::<Vec<_>>() {
                let (before, now) = (self.time(place - 1), self.time(place));
                let lines = (self.line(place - 1), self.line(place));
                if now < before {
                    let group = if known.group.is_empty() {
                        ", or with `group = \"COLUMN\"` if the file has several series"
                    } else {
                        ""
                    };
                    let problem = format!(
                        "line {}: the time in column {column} is before that of line {}; sort the rows by time, or train with \
                         `sort = true` in `[data]`{group}",
                        lines.1, lines.0
                    );
                    return Err(Error::data(path, problem));
                }
                if now <= before {
                    let problem = format!(
                        "lines {} and {} have the same time in column {column}; remove one, or train with the columns that \
                         tell several series apart as `group` in `[data]`",
                        lines.0.min(lines.1),
                        lines.0.max(lines.1)
                    );
                    return Err(Error::data(path, problem));
                }
            }
        }
        Ok(())
    }

    /// The steps from each row to the next of its series.
    pub(super) fn steps(&self) -> impl Iterator<Item = RowStep> + '_ {
        let places = self.series.iter().flat_map(|series| series.clone().skip(1));
        places.map(|place| RowStep { place, from: self.time(place - 1), to: self.time(place) })
    }

    fn find_step(&mut self, path: &Path, known: &SeriesOrder) -> Result<()> {
        let largest = self.times.times.iter().fold(0.0, |largest: f64, time| largest.max(time.abs()));
        let given = known.step.map(|length| TimeStep::known(length, largest).with(known.frequency));
        if let Some(trained) = given.filter(|_| !known.uneven) {
            self.check_step(path, trained, largest)?;
        }
        self.step = given.or_else(|| self.usual_step(largest));
        let usual = self.step.and_then(|step| step.frequency).map_or(0, CalendarStep::usual_gap);
        self.max_gap = known.max_gap.unwrap_or(if known.step.is_some() { 0 } else { usual });
        Ok(())
    }

    /// The usual step of the rows themselves, of times up to `largest`.
    pub(super) fn usual_step(&self, largest: f64) -> Option<TimeStep> {
        let differences = self.steps().map(|step| step.to - step.from).collect();
        TimeStep::most_frequent(differences, largest).map(|step| step.with(self.frequency()))
    }

    /// The rule of the dates, where they are no fixed length apart.
    fn frequency(&self) -> Option<CalendarStep> {
        self.times.form?;
        let times = |series: &Range<usize>| series.clone().map(|place| self.time(place)).collect();
        calendar::calendar_step(&self.series.iter().map(times).collect::<Vec<_>>())
    }

    /// The places of rows that follow each other with at most so many rows missing in between.
    pub(super) fn runs_across(&self, max_gap: usize) -> Vec<Range<usize>> {
        let mut cuts: Vec<usize> = self.series.iter().map(|series| series.start).collect();
        if let Some(step) = self.step {
            let is_gap = |own: &RowStep| step.missing_between(own.from, own.to) > max_gap;
            cuts.extend(self.steps().filter(is_gap).map(|own| own.place));
            cuts.sort_unstable();
        }
        let ends = cuts.iter().skip(1).copied().chain([self.order.len()]);
        cuts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
    }

    /// The column of the time.
    pub(super) fn column(&self) -> Option<&str> {
        self.times.column.as_deref()
    }

    /// The form of its dates.
    pub(super) fn form(&self) -> Option<DateForm> {
        self.times.form
    }

    /// The usual step from a row to the next.
    pub(super) fn step(&self) -> Option<TimeStep> {
        self.step
    }

    /// The most rows that may be missing between two consecutive rows.
    pub(super) fn max_gap(&self) -> usize {
        self.max_gap
    }

    /// The fraction of the steps from row to row that are about the usual one.
    #[allow(clippy::cast_precision_loss, reason = "counts of rows")]
    pub(super) fn regularity(&self) -> f64 {
        let Some(step) = self.step else { return 0.0 };
        let most = step.frequency.map_or(0, CalendarStep::usual_gap);
        let all = self.steps().count();
        let usual = |own: &RowStep| {
            step.missing_between(own.from, own.to) <= most && own.to - own.from >= 0.5 * step.length
        };
        let usual = self.steps().filter(usual).count();
        if all == 0 { 0.0 } else { usual as f64 / all as f64 }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The row at a place of the order.
    pub(super) fn row(&self, place: usize) -> usize {
        self.order[place] as usize
    }

    /// The rows at these places.
    pub(super) fn rows(&self, places: Range<usize>) -> &[u32] {
        &self.order[places]
    }

    /// The places of each series.
    pub(super) fn series(&self) -> &[Range<usize>] {
        &self.series
    }

    /// The places of rows that follow each other without a gap.
    pub(super) fn runs(&self) -> &[Range<usize>] {
        &self.runs
    }

    /// How far a place lies behind another, in time, or in rows where there are no times.
    #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
    pub(super) fn distance(&self, from: usize, to: usize) -> f64 {
        if self.times.times.is_empty() { (to - from) as f64 } else { self.time(to) - self.time(from) }
    }

    /// The name of the series that a row of the file belongs to, where there are several.
    pub fn name_of(&self, row: usize) -> Option<&str> {
        let Times { series, names, .. } = &self.times;
        names.get(*series.get(row)? as usize).map(String::as_str)
    }

    /// The names of the series with fewer rows than this.
    pub(super) fn shorter(&self, rows: usize) -> Vec<&str> {
        let short = |(_, series): &(usize, &Range<usize>)| series.len() < rows;
        let short = self.series.iter().enumerate().filter(short);
        short.map(|(number, _)| self.times.names.get(number).map_or("", String::as_str)).collect()
    }

    /// The part of the row at each place, by `split` of the rows in the order of time: rows of the same time are in the
    /// same part. Without times each series is split on its own.
    pub(super) fn parts(&self, plan: &SplitPlan) -> Vec<Part> {
        let mut parts = vec![Part::Unused; self.order.len()];
        if self.times.times.is_empty() {
            for series in &self.series {
                let split = TimeSplit::new(plan, series.len());
                for (rank, place) in series.clone().enumerate() {
                    parts[place] = split.part(rank);
                }
            }
            return parts;
        }
        let mut ranked: Vec<usize> = (0..self.order.len()).collect();
        ranked.sort_by(|a, b| self.time(*a).total_cmp(&self.time(*b)));
        let split = TimeSplit::new(plan, ranked.len());
        let mut first = 0;
        for same in ranked.chunk_by(|a, b| self.time(*a) >= self.time(*b)) {
            // The part of the last of them: later rows are held out.
            let of_all = split.part(first + same.len() - 1);
            for place in same {
                parts[*place] = of_all;
            }
            first += same.len();
        }
        parts
    }
}
