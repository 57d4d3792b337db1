//! The windows of a series that are predicted: those that end with each row, or those that forecast each row's time.

use std::ops::Range;
use std::path::Path;

use candle_core::{Device, Tensor};

use super::keyed_rows::{Inputs, KeyedRows, See};
use super::keys::{KeyCell, KeyedRecords};
use crate::data::preprocess::SeriesOrder;
use crate::data::table::read::quoted;
use crate::data::table::series::{FutureRows, GapLosses, SeriesRows, StepWindow, WindowEnd};
use crate::error::{Error, Result};
use crate::names::counted;

/// The rows whose windows are looked up at once.
const CHUNK_ROWS: usize = 1 << 16;

/// A series to predict.
pub(super) struct SeriesInput<'a> {
    pub(super) series: &'a SeriesRows,
    pub(super) path: &'a Path,
    /// The rows of a window.
    pub(super) window: usize,
    /// The rows after it that are predicted.
    pub(super) steps: &'a [usize],
    /// The most windows of a batch.
    pub(super) batch: usize,
}

impl SeriesInput<'_> {
    /// The windows that end with each row of a series, in the order of the file.
    pub(super) fn windows(&self, mut records: KeyedRecords<'_>, see: &mut See<'_>) -> Result<()> {
        let windows = self.series.windows_to_predict(self.window);
        self.require_some(windows.iter().any(Option::is_some), windows.len())?;
        self.warn_of_gaps(self.window - 1);
        see.keys(&records.columns.names)?;
        for some in windows.chunk_by(|a, b| a.is_some() == b.is_some()) {
            for some in some.chunks(self.batch) {
                let keys = records.take(some.len());
                let inputs = match self.tensor(some.iter().flatten().map(|end| end.places(self.window)))? {
                    Some(rows) => Inputs::Whole(rows),
                    None => Inputs::TooShort(some.len()),
                };
                see.rows(self.path, KeyedRows { inputs, keys })?;
            }
        }
        Ok(())
    }

    /// The forecast of each row, in the order of the file, and behind them those of the rows that follow the last one of each
    /// series, with their times.
    pub(super) fn by_time(
        &self,
        mut records: KeyedRecords<'_>,
        order: &SeriesOrder,
        see: &mut See<'_>,
    ) -> Result<()> {
        let rows = self.series.forecasts(self.window, self.steps);
        let beyond = self.series.beyond(self.window, self.steps);
        let is_some = |future: &FutureRows| future.windows.iter().any(Option::is_some);
        let is_any = beyond.iter().any(is_some) || rows.iter().any(Option::is_some);
        self.require_some(is_any, rows.len())?;
        self.warn_of_gaps(self.window + self.steps.first().map_or(0, |first| first - 1));
        see.keys(&records.columns.names)?;
        let future_keys: Vec<Vec<KeyCell>> =
            beyond.iter().map(|future| records.keys_beyond(future, order)).collect();
        // A row has the first of the steps of its window.
        let window_of = |end: &WindowEnd| StepWindow { places: end.places(self.window), step: 0 };
        for rows in rows.chunks(CHUNK_ROWS) {
            let windows: Vec<_> = rows.iter().map(|end| end.as_ref().map(window_of)).collect();
            self.lines(&windows, |count| records.take(count), see)?;
        }
        for (future, keys) in beyond.iter().zip(future_keys) {
            if !is_some(future) {
                let name = self.series.timeline().name_of(future.last);
                let of = name.map_or_else(String::new, |name| format!(" of {}", quoted(name)));
                tracing::warn!(
                    "{}: no forecast beyond the last row{of}: the {} before it do not follow each other without a gap",
                    self.path.display(),
                    counted(self.window, "row")
                );
                continue;
            }
            let mut keys = keys.into_iter();
            let width = records.columns.names.len();
            self.lines(&future.windows, |count| keys.by_ref().take(count * width).collect(), see)?;
        }
        Ok(())
    }

    /// Rows with a forecast or without one, with the keys that `take` has for so many of them.
    fn lines(
        &self,
        rows: &[Option<StepWindow>],
        mut take: impl FnMut(usize) -> Vec<KeyCell>,
        see: &mut See<'_>,
    ) -> Result<()> {
        for some in rows.chunk_by(|a, b| a.is_some() == b.is_some()) {
            for some in some.chunks(self.batch) {
                let keys = take(some.len());
                let steps = some.iter().flatten().map(|window| window.step).collect();
                let inputs = match self.tensor(some.iter().flatten().map(|window| window.places.clone()))? {
                    Some(rows) => Inputs::Steps { rows, steps },
                    None => Inputs::TooShort(some.len()),
                };
                see.rows(self.path, KeyedRows { inputs, keys })?;
            }
        }
        Ok(())
    }

    /// Windows as the network reads them, (N, T F); nothing where there are none.
    fn tensor(&self, windows: impl Iterator<Item = Range<usize>>) -> Result<Option<Tensor>> {
        let (mut count, mut numbers) = (0, Vec::new());
        for places in windows {
            self.series.append(places, &mut numbers)?;
            count += 1;
        }
        if count == 0 {
            return Ok(None);
        }
        let width = numbers.len() / count;
        Ok(Some(Tensor::from_vec(numbers, (count, width), &Device::Cpu)?))
    }

    /// Warns of the rows that have no prediction for a gap before them: so many rows behind each gap.
    fn warn_of_gaps(&self, before: usize) {
        let GapLosses { gaps, rows } = self.series.behind_gaps(before);
        if rows > 0 {
            tracing::warn!(
                "{}: {} behind {} {} no prediction, which needs {}; a larger `data.max_gap` in training lets windows \
                 cross gaps",
                self.path.display(),
                counted(rows, "row"),
                counted(gaps, "gap"),
                if rows == 1 { "has" } else { "have" },
                counted(self.window, "consecutive row")
            );
        }
    }

    fn require_some(&self, is_some: bool, rows: usize) -> Result<()> {
        if is_some {
            return Ok(());
        }
        let window = self.window;
        let problem = if rows < window {
            let are = if rows == 1 { "is" } else { "are" };
            format!(
                "a prediction is made from the {window} rows before it, and there {are} {}",
                counted(rows, "row")
            )
        } else {
            format!(
                "a prediction is made from {window} rows, and no {window} of the {} here follow each other in one series without a \
                 gap",
                counted(rows, "row")
            )
        };
        Err(Error::data(self.path, problem))
    }
}
