//! A series that was looked at, for a config that is to be written for it.

use std::ops::Range;

use super::horizon::MOST_ROWS;
use super::step::TimeStep;
use super::timeline::Timeline;
use crate::data::preprocess::CalendarStep;
use crate::data::split::{Part, SplitPlan};
use crate::stats::real;

/// The parts that have windows of their own.
const PARTS: [Part; 3] = [Part::Train, Part::Validation, Part::Test];

/// The error of the last value as a forecast of the next, as a fraction of that of the mean, below which a series is persistent.
/// On ten targets (half-hourly demand, hourly and daily weather, daily counts) `subtract_last` raised the skill of all six
/// below it, and of one of the four above (`scripts/README.md`).
const PERSISTENT: f64 = 2.0 / 3.0;

/// The first rows of one or several series.
#[derive(Debug)]
pub struct SeriesProfile {
    /// The column of the time.
    pub time: String,
    /// The column that tells several series apart.
    pub group: Option<String>,
    /// Whether the rows have to be sorted.
    pub sort: bool,
    pub(super) step: TimeStep,
    pub(super) timeline: Timeline,
    /// Of each target the value of each row, in the order of the file.
    pub(super) values: Vec<Vec<f64>>,
}

/// The shares of the rows that are held out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitShares {
    /// Of all rows, those of the test split: the latest of a series.
    pub test: f64,
    /// Of the other rows, those of the validation split: of a series the rows before these.
    pub validation: f64,
}

impl SplitShares {
    /// About how many of these rows are trained on.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of rows"
    )]
    pub fn trained(self, rows: u64) -> u64 {
        (rows as f64 * (1.0 - self.test) * (1.0 - self.validation)) as u64
    }
}

/// The rows of a window and the rows after it that are predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowRows {
    /// What a prediction sees.
    pub window: usize,
    /// How far it reaches.
    pub horizon: usize,
}

impl SeriesProfile {
    /// How many series there are.
    pub fn series(&self) -> usize {
        self.timeline.series().len()
    }

    /// The usual time from a row to the next, in words.
    pub fn describe_step(&self) -> String {
        self.step.describe(self.is_dated())
    }

    /// Whether the time has dates.
    pub fn is_dated(&self) -> bool {
        self.timeline.form().is_some()
    }

    /// The usual time from a row to the next in days, where the time has dates.
    pub fn days(&self) -> Option<f64> {
        self.is_dated().then_some(self.step.length)
    }

    /// The months from a row to the next, where they are whole months.
    pub fn months(&self) -> Option<i64> {
        match self.step.frequency {
            Some(CalendarStep::Months { count, .. }) => Some(count),
            _ => None,
        }
    }

    /// The days of a week that have rows, where some have none.
    pub fn days_a_week(&self) -> Option<usize> {
        self.step.frequency?.rows_a_week()
    }

    /// The days from the first row to the last of the longest series, where the time has dates.
    pub fn span(&self) -> f64 {
        let long = |series: &Range<usize>| self.timeline.distance(series.start, series.end.max(1) - 1);
        let longest = self.timeline.series().iter().map(long).fold(0.0, f64::max);
        if self.is_dated() { longest } else { 0.0 }
    }

    /// The most frequent number of rows on a day that has some, where the time has dates.
    pub fn rows_a_day(&self) -> usize {
        let day = |place: &usize| self.timeline.time(*place).floor();
        let mut counts: Vec<usize> = Vec::new();
        for series in self.timeline.series() {
            let places: Vec<usize> = series.clone().collect();
            counts.extend(places.chunk_by(|a, b| day(a) >= day(b)).map(<[usize]>::len));
        }
        counts.sort_unstable();
        let most = counts.chunk_by(|a, b| a == b).max_by_key(|same| same.len());
        most.and_then(|same| same.first()).copied().unwrap_or(1)
    }

    /// The most rows that may be missing between two consecutive rows where the config sets nothing.
    pub fn usual_gap(&self) -> usize {
        self.timeline.max_gap()
    }

    /// The different numbers of rows that are missing between two consecutive rows, in order, as far as `max_gap` may be set to
    /// them.
    pub fn gaps(&self) -> Vec<usize> {
        let missing = |own: super::timeline::RowStep| self.step.missing_between(own.from, own.to);
        let mut gaps: Vec<usize> =
            self.timeline.steps().map(missing).filter(|rows| (1..=MOST_ROWS).contains(rows)).collect();
        gaps.sort_unstable();
        gaps.dedup();
        gaps
    }

    /// The part of the row at each place.
    fn parts(&self, shares: SplitShares) -> Vec<Part> {
        let SplitShares { test, validation } = shares;
        self.timeline.parts(&SplitPlan { test, validation, ..SplitPlan::default() })
    }

    /// The number of windows to train on, to validate and to test, where at most `max_gap` rows may be missing between two
    /// consecutive rows; without a number rows follow each other whatever is missing.
    pub fn windows(&self, shares: SplitShares, rows: WindowRows, max_gap: Option<usize>) -> [usize; 3] {
        self.count_windows(shares, rows, max_gap, |_| true)
    }

    /// As [`Self::windows`], of those whose rows to predict all have their targets.
    pub fn complete_windows(
        &self,
        shares: SplitShares,
        rows: WindowRows,
        max_gap: Option<usize>,
    ) -> [usize; 3] {
        let is_complete = |place: usize| {
            let row = self.timeline.row(place);
            self.values.iter().all(|values| values.get(row).is_none_or(|value| !value.is_nan()))
        };
        self.count_windows(shares, rows, max_gap, is_complete)
    }

    fn count_windows(
        &self,
        shares: SplitShares,
        rows: WindowRows,
        max_gap: Option<usize>,
        can_be_predicted: impl Fn(usize) -> bool,
    ) -> [usize; 3] {
        let parts = self.parts(shares);
        let mut counts = [0; 3];
        for run in self.timeline.runs_across(max_gap.unwrap_or(usize::MAX)) {
            let mut start = run.start;
            for same in parts[run].chunk_by(|a, b| a == b) {
                let part = PARTS.iter().position(|part| *part == same[0]);
                // The rows up to a place that can be predicted, one after the other.
                let mut in_a_row = 0;
                for place in start..start + same.len() {
                    in_a_row = if can_be_predicted(place) { in_a_row + 1 } else { 0 };
                    let has_window = place + 1 - start >= rows.window + rows.horizon;
                    if let Some(part) = part.filter(|_| has_window && in_a_row >= rows.horizon) {
                        counts[part] += 1;
                    }
                }
                start += same.len();
            }
        }
        counts
    }

    /// Whether the rows without a target are the latest of their series.
    pub fn lacks_latest_targets(&self) -> bool {
        let is_missing = |values: &Vec<f64>, place: usize| {
            values.get(self.timeline.row(place)).is_some_and(|value| value.is_nan())
        };
        self.values.iter().all(|values| {
            self.timeline
                .series()
                .iter()
                .all(|series| series.clone().is_sorted_by_key(|at| is_missing(values, at)))
        })
    }

    /// Whether the targets are persistent: in the training rows the last value is a forecast of the next that is better by a
    /// third than their mean.
    pub fn is_persistent(&self, shares: SplitShares) -> bool {
        let parts = self.parts(shares);
        let is_near = |values: &Vec<f64>| {
            let of_series = |series: &Range<usize>| -> Vec<f64> {
                let value = |place| values.get(self.timeline.row(place)).copied().unwrap_or(f64::NAN);
                series.clone().filter(|place| parts[*place] == Part::Train).map(value).collect()
            };
            let series: Vec<Vec<f64>> = self.timeline.series().iter().map(of_series).collect();
            // The mean of all series: the network knows no other, and those that lie apart are far from it.
            let center = mean(series.iter().flatten().copied());
            let apart = mean(series.iter().flatten().map(|value| (value - center).abs()));
            let step =
                mean(series.iter().flat_map(|own| own.windows(2).map(|pair| (pair[1] - pair[0]).abs())));
            step < PERSISTENT * apart
        };
        !self.values.is_empty() && self.values.iter().all(is_near)
    }
}

/// The mean of the values that are not missing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let mut sum = 0.0;
    let mut count = 0;
    for value in values.filter(|value| !value.is_nan()) {
        sum += value;
        count += 1;
    }
    sum / real(count)
}
