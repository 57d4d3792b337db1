//! The encoded rows of a series, and its windows.

use std::ops::Range;
use std::path::Path;

use rustc_hash::FxHashSet;

use super::encoded::{EncodedCells, SeriesReading};
use super::features::SeriesFeatures;
use super::timeline::Timeline;
use super::times::TimesReader;
use super::window::WindowEnd;
use crate::data::preprocess::{SeriesOrder, TableEncoder};
use crate::data::split::Part;
use crate::data::table::Opened;
use crate::data::table::options::Options;
use crate::data::table::read::Records;
use crate::error::Result;

/// The encoded rows of a file, in the order of the file.
#[derive(Debug)]
pub struct SeriesRows {
    features: SeriesFeatures,
    /// The targets of a row; 0 where they were not read.
    outputs: usize,
    /// NaN where a target is missing.
    targets: Vec<f64>,
    timeline: Timeline,
    /// The places that no window may end with: a later row helped to fill a cell there.
    looks_ahead: FxHashSet<usize>,
}

impl SeriesRows {
    /// Reads all rows of a file to predict.
    ///
    /// # Errors
    /// A column is absent, a cell is not of its kind, or rows are not in the order that `order` asks for.
    pub fn read(
        encoder: &TableEncoder,
        order: &SeriesOrder,
        records: &mut dyn Records,
        path: &Path,
    ) -> Result<Self> {
        let columns = records.columns().to_vec();
        let mut times = TimesReader::new(path, &columns, order, &[])?;
        let memory = Options::default().memory;
        let reading = SeriesReading { encoder, order, path, labelled: false, memory };
        let mut encoded = EncodedCells::of_records(&reading, records, |row| times.see(row))?;
        let timeline = Timeline::new(path, times.finish()?, order)?;
        let looks_ahead = encoded.fill(&reading, &timeline, None)?;
        Ok(Self::of(encoded, timeline, looks_ahead))
    }

    fn of(encoded: EncodedCells, timeline: Timeline, looks_ahead: FxHashSet<usize>) -> Self {
        let EncodedCells { features, outputs, targets, .. } = encoded;
        Self { features, outputs, targets, timeline, looks_ahead }
    }

    /// Reads all rows of a file whose timeline is known. Gaps in the cells of a part are filled from that part and those
    /// before it.
    pub(super) fn encode(
        reading: &SeriesReading<'_>,
        table: &Opened,
        timeline: Timeline,
        parts: &[Part],
    ) -> Result<Self> {
        let mut encoded = EncodedCells::of_table(reading, table)?;
        let looks_ahead = encoded.fill(reading, &timeline, Some(parts))?;
        Ok(Self::of(encoded, timeline, looks_ahead))
    }

    /// The order of the rows.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The number of features of a row.
    pub(super) fn width(&self) -> usize {
        self.features.width()
    }

    /// The number of targets.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Whether a window may end at this place: no later row helped to fill it.
    pub(super) fn may_end_at(&self, place: usize) -> bool {
        !self.looks_ahead.contains(&place)
    }

    /// For each row of the file the `window` rows that end with it; nothing where as many do not follow each other, or where
    /// a later row helped to fill it.
    pub fn windows_to_predict(&self, window: usize) -> Vec<Option<WindowEnd>> {
        let mut windows = vec![None; self.timeline.len()];
        for run in self.timeline.runs() {
            for place in run.clone().skip(window - 1).filter(|place| !self.looks_ahead.contains(place)) {
                windows[self.timeline.row(place)] = WindowEnd::before(place + 1);
            }
        }
        windows
    }

    /// Appends the features of the rows at these places, (rows, F).
    pub fn append(&self, places: Range<usize>, to: &mut Vec<f64>) -> Result<()> {
        self.features.read(self.timeline.rows(places), to)
    }

    /// The targets of the row at a place, in their own units; NaN where one is missing.
    pub(super) fn targets_at(&self, place: usize) -> &[f64] {
        let row = self.timeline.row(place);
        &self.targets[row * self.outputs..(row + 1) * self.outputs]
    }
}
