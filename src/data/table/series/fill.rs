//! Fills missing cells of a series from the rows around them.

use std::ops::Range;
use std::path::Path;

use rustc_hash::FxHashSet;

use super::features::SeriesFeatures;
use super::timeline::Timeline;
use crate::data::preprocess::{Column, Fill, Operation, TableEncoder};
use crate::data::split::Part;
use crate::error::Result;
use crate::names::counted_are;

/// A missing cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hole {
    /// The row in the file.
    pub(super) row: u32,
    /// The column among those of the encoder.
    pub(super) column: u32,
}

/// How many cells were filled, and how.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct FillCounts {
    filled: u64,
    /// Cells without a value before them, which keep the encoder's fill value.
    leading: u64,
    /// The places of rows with a cell that a later row helped to fill. A window that ends with one would look
    /// ahead.
    pub(super) looks_ahead: FxHashSet<usize>,
}

impl FillCounts {
    pub(super) fn log(&self, path: &Path) {
        let Self { filled, leading, looks_ahead } = self;
        if !looks_ahead.is_empty() {
            tracing::info!(
                "{}: {} interpolated from later ones; no window ends with one of them (`missing = \"previous\"` fills \
                 from earlier rows alone)",
                path.display(),
                counted_are(looks_ahead.len(), "row")
            );
        }
        if *leading > 0 {
            tracing::warn!(
                "{}: {} filled with the mean, or the most frequent name, of the training rows, for want of a value before",
                path.display(),
                counted_are(*leading, "missing cell")
            );
        }
        if *filled > 0 {
            let cells = counted_are(*filled, "missing cell");
            tracing::info!("{}: {cells} filled from the rows around", path.display());
        }
    }
}

/// The features of one column.
struct ColumnFeatures {
    features: Vec<usize>,
    /// Whether there are values between two others.
    is_number: bool,
}

/// The rows whose missing cells are filled.
pub(super) struct Filler<'a> {
    pub(super) encoder: &'a TableEncoder,
    pub(super) how: Fill,
    pub(super) timeline: &'a Timeline,
    /// The part of the row at each place: values of another part that come later are not looked at.
    pub(super) parts: Option<&'a [Part]>,
    pub(super) features: &'a mut SeriesFeatures,
}

/// The values around a hole, by their places.
#[derive(Clone, Copy)]
struct Around {
    before: usize,
    after: Option<usize>,
}

impl Filler<'_> {
    /// Fills these cells.
    pub(super) fn fill(&mut self, holes: &[Hole]) -> Result<FillCounts> {
        let mut filled = FillCounts::default();
        for (column, span) in (0..).zip(spans(self.encoder)) {
            let own = holes.iter().filter(|hole| hole.column == column);
            let missing: FxHashSet<usize> = own.map(|hole| hole.row as usize).collect();
            if !missing.is_empty() && !span.features.is_empty() {
                for series in self.timeline.series() {
                    self.fill_series(series.clone(), &span, &missing, &mut filled)?;
                }
            }
        }
        Ok(filled)
    }

    /// Fills a column of one series.
    fn fill_series(
        &mut self,
        series: Range<usize>,
        span: &ColumnFeatures,
        missing: &FxHashSet<usize>,
        filled: &mut FillCounts,
    ) -> Result<()> {
        let between = self.how == Fill::Interpolate && span.is_number;
        let timeline = self.timeline;
        let is_missing = |place: usize| missing.contains(&timeline.row(place));
        let (mut last, mut place) = (None, series.start);
        while place < series.end {
            let start = place;
            let end = (start..series.end).find(|place| !is_missing(*place)).unwrap_or(series.end);
            match last {
                None => filled.leading += (end - start) as u64,
                Some(before) => {
                    filled.filled += (end - start) as u64;
                    let after = Some(end).filter(|end| between && *end < series.end);
                    for place in start..end {
                        if self.fill_place(place, span, Around { before, after })? {
                            filled.looks_ahead.insert(place);
                        }
                    }
                }
            }
            last = Some(end);
            place = end + 1;
        }
        Ok(())
    }

    /// Fills a cell from the values around it, and returns whether the one after it was used.
    fn fill_place(
        &mut self,
        place: usize,
        span: &ColumnFeatures,
        Around { before, after }: Around,
    ) -> Result<bool> {
        let timeline = self.timeline;
        let after = after.filter(|after| self.parts.is_none_or(|parts| parts[*after] == parts[place]));
        for feature in &span.features {
            let first = self.features.get(timeline.row(before), *feature)?;
            let filled = match after {
                Some(after) => {
                    let share = timeline.distance(before, place) / timeline.distance(before, after);
                    first + (self.features.get(timeline.row(after), *feature)? - first) * share
                }
                None => first,
            };
            self.features.set(timeline.row(place), *feature, filled)?;
        }
        Ok(after.is_some())
    }
}

/// The features of each column of an encoder: the numbers come first, then the indices of names.
fn spans(encoder: &TableEncoder) -> Vec<ColumnFeatures> {
    let (mut dense, mut indices) = (0, encoder.dense_width());
    let span = |column: &Column| {
        let numbers = dense..dense + column.dense_width();
        let names = indices..indices + column.index_width();
        (dense, indices) = (numbers.end, names.end);
        let is_number = column.operations.iter().any(|operation| matches!(operation, Operation::Number));
        ColumnFeatures { features: numbers.chain(names).collect(), is_number }
    };
    encoder.columns().map(span).collect()
}
