//! The files of a series: their timelines, and the windows of each split.

use std::path::Path;

use candle_core::DType;

use super::encoded::SeriesReading;
use super::rows::SeriesRows;
use super::timeline::Timeline;
use super::times::{Times, TimesReader};
use super::window::WindowShape;
use super::windows::{PartWindows, RowStorage};
use crate::data::preprocess::{PreprocessingSource, SeriesOrder, TableEncoder};
use crate::data::split::{Part, SplitPlan};
use crate::data::stored::StoredWriter;
use crate::data::subtract_last::SubtractLast;
use crate::data::table::encoded_size::EncodedSize;
use crate::data::table::options::Options;
use crate::data::table::read::{Dialect, Input, TableFile, WantedColumns, quoted};
use crate::data::table::row::Row;
use crate::data::table::{Opened, collect};
use crate::data::{EncodedRows, EncodedSplits, RowUse, Windows};
use crate::distributed::Single;
use crate::error::{Error, Result};
use crate::names::{counted, first_few};

/// Another file of the same columns. Where `wanted` columns are named, it is kept as columns if there is room.
pub(super) fn other_file(
    dialect: &Dialect,
    table: &Opened,
    path: &Path,
    wanted: Option<WantedColumns>,
    memory: u64,
) -> Result<Opened> {
    let format = Options::format_of(path, table.format);
    let input = Input::File(path.to_path_buf());
    if let Some(wanted) = wanted {
        let file = TableFile { input: &input, format, dialect, ranks: &Single };
        if let Ok(Some(kept)) = Opened::kept_with(&file, wanted, memory) {
            return Ok(kept);
        }
    }
    Opened::new(input, format, dialect.clone(), Some(table.columns()))
}

/// The order of the rows of a file.
pub(super) fn timeline(table: &Opened, order: &SeriesOrder, candidates: &[usize]) -> Result<Timeline> {
    let mut times = TimesReader::new(table.path(), table.columns(), order, candidates)?;
    let mut batches = table.batches()?;
    while let Some(batch) = batches.next()? {
        batch.rows().try_for_each(|row| times.see(&row))?;
    }
    Timeline::new(table.path(), times.finish()?, order)
}

/// The times of the first rows of a file, of which `order` names the time.
pub(super) fn times_of(table: &Opened, order: &SeriesOrder, rows: usize) -> Result<Times> {
    let (mut records, mut row) = (table.records()?, Row::default());
    let mut times = TimesReader::new(table.path(), table.columns(), order, &[])?;
    let mut left = rows;
    while left > 0 && records.next(&mut row)? {
        times.see(&row)?;
        left -= 1;
    }
    times.finish()
}

/// The keys of the parts that are held out.
pub(super) fn held_out(plan: &SplitPlan) -> Vec<(&'static str, Part)> {
    let test = match plan.fold {
        Some(_) => Some(("data.fold", Part::Test)),
        None => (plan.test > 0.0).then_some(("data.test", Part::Test)),
    };
    let validation = (plan.validation > 0.0).then_some(("data.validation", Part::Validation));
    validation.into_iter().chain(test).collect()
}

/// The encoder, window and order of a series' files.
pub(super) struct SeriesFile<'a> {
    pub(super) shape: WindowShape<'a>,
    pub(super) encoder: &'a TableEncoder,
    pub(super) order: &'a SeriesOrder,
    /// What is subtracted from windows and targets.
    pub(super) subtract: Option<&'a SubtractLast>,
    pub(super) dtype: DType,
    /// The MiB of encoded rows that stay in memory.
    pub(super) memory: u64,
    /// The use of the rows that are not held out.
    pub(super) row_use: RowUse,
}

/// The windows of each split.
pub(super) struct SplitWindows {
    pub(super) train: Windows,
    pub(super) validation: Option<Windows>,
    pub(super) test: Option<Windows>,
    /// The rows of a season, as set or found.
    pub(super) season_length: usize,
}

impl SplitWindows {
    pub(super) fn encoded(self, outputs: usize, source: PreprocessingSource) -> EncodedSplits {
        EncodedSplits {
            train: EncodedRows::Windows(self.train),
            validation: self.validation.map(EncodedRows::Windows),
            test: self.test.map(EncodedRows::Windows),
            outputs,
            source,
        }
    }
}

impl SeriesFile<'_> {
    /// The windows of training, validation and test.
    pub(super) fn splits(
        &self,
        table: &Opened,
        timeline: Timeline,
        parts: &[Part],
        plan: &SplitPlan,
    ) -> Result<SplitWindows> {
        self.warn_of_short_series(&timeline, table.path());
        let rows = self.encode(table, timeline, parts)?;
        let season_length =
            self.order.season_length.unwrap_or_else(|| find_season(&rows, parts, table.path()));
        let storage = self.storage(&rows, table.path())?;
        let of = |part: Part| {
            self.windows(&rows, PartWindows { parts, part, shape: self.shape }, storage, season_length)
        };
        let (validation, test) = (of(Part::Validation)?, of(Part::Test)?);
        let train = of(Part::Train)?;
        for (key, part) in held_out(plan) {
            let windows = if part == Part::Test { &test } else { &validation };
            if windows.is_none() {
                return Err(Error::key(key, format!("leaves rows of which {}", self.shape.broken())));
            }
        }
        let train = train.ok_or_else(|| {
            Error::data(table.path(), format!("of the rows {} {}", self.row_use, self.shape.broken()))
        })?;
        Ok(SplitWindows { train, validation, test, season_length })
    }

    /// The windows of all rows of a file.
    pub(super) fn whole(&self, table: &Opened) -> Result<Windows> {
        let timeline = timeline(table, self.order, &[])?;
        self.warn_of_short_series(&timeline, table.path());
        let (count, parts) = (timeline.len(), vec![Part::Test; timeline.len()]);
        if count < self.shape.rows() {
            return Err(self.shape.too_short(table.path(), count, RowUse::Test));
        }
        let rows = self.encode(table, timeline, &parts)?;
        let of = PartWindows { parts: &parts, part: Part::Test, shape: self.shape };
        let storage = self.storage(&rows, table.path())?;
        let windows = self.windows(&rows, of, storage, self.order.season_length.unwrap_or(1))?;
        windows.ok_or_else(|| {
            Error::data(table.path(), format!("of the rows to test on {}", self.shape.broken()))
        })
    }

    /// The windows of a part; those of held-out rows with the errors of simple forecasts.
    fn windows(
        &self,
        rows: &SeriesRows,
        of: PartWindows<'_>,
        storage: RowStorage,
        season_length: usize,
    ) -> Result<Option<Windows>> {
        let is_held_out = of.part != Part::Train || of.parts.iter().all(|part| *part == Part::Train);
        let Some(windows) = rows.windows(of, storage)? else { return Ok(None) };
        let last = self.subtract.map(|subtract| rows.last_targets(of, subtract)).transpose()?;
        let baselines = is_held_out.then(|| rows.baselines(of, season_length));
        Ok(Some(Windows { last, baselines, ..windows }))
    }

    /// Whether the rows of a file are kept in memory or in a temporary file, which has room for them. Training says which.
    fn storage(&self, rows: &SeriesRows, path: &Path) -> Result<RowStorage> {
        let dtype = if self.dtype == DType::F64 { DType::F64 } else { DType::F32 };
        let (width, count) = (rows.width(), rows.timeline().len() as u64);
        let size = |targets| EncodedSize { form: collect::form(width, targets, dtype), rows: count };
        // In memory a row has the targets of its window.
        let all = size(rows.outputs() * self.shape.steps.len());
        let in_memory = all.fits(self.memory);
        // In a file a row has its own targets alone.
        let in_file = size(rows.outputs());
        if !in_memory {
            in_file.check(path, StoredWriter::free())?;
        }
        if self.row_use == RowUse::Train {
            let size = if in_memory { all } else { in_file };
            size.log(path, in_memory);
        }
        Ok(RowStorage { dtype, in_memory })
    }

    /// The encoded rows of a file.
    pub(super) fn encode(&self, table: &Opened, timeline: Timeline, parts: &[Part]) -> Result<SeriesRows> {
        let Self { encoder, order, memory, .. } = *self;
        let reading = SeriesReading { encoder, order, path: table.path(), labelled: true, memory };
        SeriesRows::encode(&reading, table, timeline, parts)
    }

    /// Warns of series that are too short.
    fn warn_of_short_series(&self, timeline: &Timeline, path: &Path) {
        let short = timeline.shorter(self.shape.rows());
        if !short.is_empty() && short.len() < timeline.series().len() {
            let (count, all) = (short.len(), timeline.series().len());
            let names = first_few(short.into_iter().map(quoted));
            tracing::warn!(
                "{}: series that are shorter than a window and its target are not used, {count} of {all}: {names}",
                path.display()
            );
        }
    }
}

/// The rows of a season, which is said; 1 where none is found.
fn find_season(rows: &SeriesRows, parts: &[Part], path: &Path) -> usize {
    let found = rows.season_length(parts);
    let text = match found {
        Some(length) => {
            format!("the values repeat after {}, by their autocorrelation", counted(length, "row"))
        }
        None => "no season was found by the autocorrelation".to_owned(),
    };
    tracing::info!("{}: {text}; `data.season_length` sets another", path.display());
    found.unwrap_or(1)
}
