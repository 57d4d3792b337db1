//! A file that continues the series of a run: its rows are as far apart as those trained on, and so are the rows after its
//! last one, on the days of the month that the file has.

use std::ops::Range;
use std::path::Path;

use super::calendar::{self, are_usual};
use super::step::{TimeStep, in_milliseconds};
use super::timeline::Timeline;
use crate::data::preprocess::CalendarStep;
use crate::data::table::read::quoted;
use crate::error::{Error, Result};
use crate::stats::real;

/// So many of the last dates tell months from days.
const LATEST: usize = 64;
/// So many steps tell a step that is another one from times that are not evenly spaced.
const LEAST_STEPS: usize = 3;
/// Lengths that differ by less than this fraction are the same step, measured with an error.
const SAME: f64 = 1e-3;
/// The days of the shortest and the longest month.
const MONTH: [f64; 2] = [28.0, 31.0];

impl Timeline {
    /// Checks that the rows are as far apart as those that a run was trained on; times are at most `largest`.
    ///
    /// # Errors
    /// Most rows are as far apart as each other, and not as those of the run.
    pub(super) fn check_step(&self, path: &Path, trained: TimeStep, largest: f64) -> Result<()> {
        let Some(own) = self.other_step(trained, largest) else { return Ok(()) };
        let is_dated = self.form().is_some();
        let column = quoted(self.column().unwrap_or_default());
        let problem = format!(
            "the rows are in steps of {} by the time in column {column}, and those that the run was trained on in steps of \
             {}; resample the rows to that step (pandas: `resample`), or train a run on rows of this one",
            own.describe(is_dated),
            trained.describe(is_dated)
        );
        Err(Error::data(path, problem))
    }

    /// Whether most rows are a step apart, as those of a file without steps are.
    pub(super) fn is_even(&self) -> bool {
        self.step().is_none_or(|step| self.is_usual(step))
    }

    /// Whether most rows are this step apart.
    fn is_usual(&self, step: TimeStep) -> bool {
        let regular = self.steps().filter(|own| !step.is_irregular(own.from, own.to));
        are_usual(regular.count(), self.steps().count())
    }

    /// The step of the rows where it is another one than `trained`.
    fn other_step(&self, trained: TimeStep, largest: f64) -> Option<TimeStep> {
        let times = || (0..self.len()).map(|place| self.time(place));
        let has_other_days = trained.frequency.is_some_and(|week| week.misses_days_of(times()));
        if self.steps().count() < LEAST_STEPS || (self.is_usual(trained) && !has_other_days) {
            return None;
        }
        self.usual_step(largest).filter(|own| self.is_usual(*own) && !own.is_same_as(trained))
    }

    /// The times of the rows after the last of these places, which follow each other, as many as `reach`; none where there are
    /// no times.
    pub(super) fn times_after(&self, places: &Range<usize>, reach: usize) -> Vec<f64> {
        let Some(step) = self.step().filter(|_| !places.is_empty()) else { return Vec::new() };
        let last = self.time(places.end - 1);
        let fixed = |length: f64| (1..=reach).map(|rows| last + length * real(rows)).collect();
        if self.form().is_none() {
            return fixed(step.length);
        }
        let latest: Vec<f64> = places.clone().rev().take(LATEST).map(|place| self.time(place)).collect();
        // A run of an earlier version has saved no rule.
        let saved = step.frequency.map(|frequency| frequency.on_days_of(&latest));
        match saved.or_else(|| calendar::months_of_latest(&latest)) {
            Some(frequency) => (1..=reach).map_while(|rows| frequency.after(last, rows)).collect(),
            None => fixed(in_milliseconds(step.length)),
        }
    }
}

impl TimeStep {
    /// Whether this step of a file is that of a run.
    fn is_same_as(self, trained: Self) -> bool {
        use CalendarStep::Months;
        match (self.frequency, trained.frequency) {
            (None, None) => (self.length - trained.length).abs() <= SAME * trained.length,
            (Some(Months { count, .. }), Some(Months { count: trained, .. })) => count == trained,
            // A run of an earlier version has saved no rule.
            (Some(Months { count, .. }), None) => {
                let [shortest, longest] = MONTH.map(|days| calendar::real_of(count) * days);
                (shortest..=longest).contains(&trained.length)
            }
            (own, trained) => own == trained,
        }
    }
}
