//! The windows that forecast each row of a file, and the rows that follow its last one.

use std::ops::Range;

use super::rows::SeriesRows;
use super::window::WindowEnd;
use crate::data::table::DateForm;

/// A window, and the one of its predicted steps that is for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepWindow {
    /// The places of its rows.
    pub places: Range<usize>,
    /// The place of the step among those that are predicted.
    pub step: usize,
}

/// The rows without a forecast for the gaps before them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GapLosses {
    /// The gaps.
    pub gaps: usize,
    /// The rows.
    pub rows: usize,
}

/// The rows that follow the last one of a series.
#[derive(Debug, Clone)]
pub struct FutureRows {
    /// The last row, by its number in the file.
    pub last: usize,
    /// For each row the window that forecasts it; nothing where a gap is in the way.
    pub windows: Vec<Option<StepWindow>>,
    /// The time of each, where there are times: days where they are dates.
    pub times: Vec<f64>,
    /// The form of the dates.
    pub form: Option<DateForm>,
}

impl SeriesRows {
    /// For each row of the file its latest forecast: the first of the steps, from the window that ends so many rows before
    /// it. Nothing where as many rows do not follow each other, or a later row helped to fill the last of them.
    pub fn forecasts(&self, window: usize, steps: &[usize]) -> Vec<Option<WindowEnd>> {
        let mut windows = vec![None; self.timeline().len()];
        let first = steps.first().copied().unwrap_or(1);
        for run in self.timeline().runs() {
            for place in run.clone().skip(window + first - 1).filter(|place| self.may_end_at(place - first)) {
                windows[self.timeline().row(place)] = WindowEnd::before(place + 1 - first);
            }
        }
        windows
    }

    /// The rows that no window ends with though there are rows enough before them: a gap is in between. A window and what is
    /// between it and the row it predicts are so many rows.
    pub fn behind_gaps(&self, window: usize) -> GapLosses {
        let timeline = self.timeline();
        let series = timeline.series();
        let is_first = |start: usize| series.binary_search_by_key(&start, |own| own.start).is_ok();
        let mut losses = GapLosses::default();
        for run in timeline.runs().iter().filter(|run| !is_first(run.start)) {
            losses.gaps += 1;
            losses.rows += run.len().min(window);
        }
        losses
    }

    /// The rows after the last one of each series, as far as the last step reaches: each by the latest window that
    /// forecasts it.
    pub fn beyond(&self, window: usize, steps: &[usize]) -> Vec<FutureRows> {
        let timeline = self.timeline();
        let series = timeline.series();
        let is_last = |run: &&Range<usize>| series.binary_search_by_key(&run.end, |own| own.end).is_ok();
        let lasts = timeline.runs().iter().filter(is_last);
        let of = |run: &Range<usize>| {
            let reach = steps.last().copied().unwrap_or(1);
            let windows = (1..=reach).map(|ahead| self.window_before(run, window, steps, ahead));
            let last = run.end - 1;
            FutureRows {
                last: timeline.row(last),
                windows: windows.collect(),
                times: timeline.times_after(run, reach),
                form: timeline.form(),
            }
        };
        lasts.filter(|run| !run.is_empty()).map(of).collect()
    }

    /// The latest window that forecasts the row `ahead` rows after the last of a run.
    fn window_before(
        &self,
        run: &Range<usize>,
        window: usize,
        steps: &[usize],
        ahead: usize,
    ) -> Option<StepWindow> {
        let step = steps.iter().position(|step| *step >= ahead)?;
        let end = (run.end + ahead).checked_sub(steps[step])?;
        let is_whole = end >= run.start + window && self.may_end_at(end - 1);
        is_whole.then(|| StepWindow { places: end - window..end, step })
    }
}
