//! The encoded rows of a series, and its windows.

use std::ops::Range;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use rustc_hash::FxHashSet;

use super::encoded::{EncodedCells, SeriesReading};
use super::timeline::Timeline;
use super::times::TimesReader;
use super::window::WindowShape;
use crate::data::preprocess::{SeriesOrder, TableEncoder};
use crate::data::split::Part;
use crate::data::subtract_last::SubtractLast;
use crate::data::table::Opened;
use crate::data::table::read::Records;
use crate::data::{MemoryLimit, Rows, Windows};
use crate::error::{Error, Result};

/// The encoded rows of a file, in the order of the file.
#[derive(Debug)]
pub struct SeriesRows {
    /// The features of a row.
    width: usize,
    features: Vec<f64>,
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
        let reading = SeriesReading { encoder, order, path, labelled: false };
        let mut encoded = EncodedCells::of_records(&reading, records, |row| times.see(row))?;
        let timeline = Timeline::new(path, times.finish()?, order)?;
        let looks_ahead = encoded.fill(&reading, &timeline, None);
        Ok(Self::of(encoded, timeline, looks_ahead))
    }

    fn of(encoded: EncodedCells, timeline: Timeline, looks_ahead: FxHashSet<usize>) -> Self {
        let EncodedCells { width, features, outputs, targets, .. } = encoded;
        Self { width, features, outputs, targets, timeline, looks_ahead }
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
        let looks_ahead = encoded.fill(reading, &timeline, Some(parts));
        Ok(Self::of(encoded, timeline, looks_ahead))
    }

    /// The order of the rows.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The number of targets.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Whether a window may end at this place: no later row helped to fill it.
    pub(super) fn may_end_at(&self, place: usize) -> bool {
        !self.looks_ahead.contains(&place)
    }

    /// The features of the row at a place of the order, (F).
    fn at(&self, place: usize) -> &[f64] {
        let row = self.timeline.row(place);
        &self.features[row * self.width..(row + 1) * self.width]
    }

    /// For each row of the file the places of the `window` rows that end with it; nothing where as many do not follow each
    /// other, or where a later row helped to fill it.
    pub fn windows_to_predict(&self, window: usize) -> Vec<Option<Range<usize>>> {
        let mut windows = vec![None; self.timeline.len()];
        for run in self.timeline.runs() {
            for place in run.clone().skip(window - 1).filter(|place| !self.looks_ahead.contains(place)) {
                windows[self.timeline.row(place)] = Some(place + 1 - window..place + 1);
            }
        }
        windows
    }

    /// Appends the features of the rows at these places.
    pub fn append(&self, places: Range<usize>, to: &mut Vec<f64>) {
        places.for_each(|place| to.extend_from_slice(self.at(place)));
    }

    /// The windows within a part, with their targets, if there are any.
    pub(super) fn windows(
        &self,
        parts: &[Part],
        wanted: Part,
        shape: WindowShape<'_>,
        dtype: DType,
    ) -> Result<Option<Windows>> {
        let pieces = self.pieces(parts, wanted, shape);
        let (first, reach) = (shape.window - 1, shape.reach());
        // Windows that start one after the other need no list of their starts.
        let known = |end: usize| self.is_known(end, shape.steps);
        let plain = matches!(&pieces[..], [piece] if (piece.start + first..piece.end - reach).all(known));
        let outputs = self.outputs * shape.steps.len();
        require_room(pieces.iter().map(Range::len).sum(), outputs)?;
        let (mut xs, mut ys, mut starts, mut rows) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for piece in pieces {
            // Behind the last window of a series alone nothing is read any more.
            let end = if plain { piece.end - reach } else { piece.end };
            for place in piece.start..end {
                xs.extend_from_slice(self.at(place));
                match Some(place + first).filter(|end| end + reach < piece.end && known(*end)) {
                    Some(end) => {
                        shape.steps.iter().for_each(|step| ys.extend_from_slice(self.targets_at(end + step)));
                        starts.push(rows);
                    }
                    None if plain => {}
                    None => ys.resize(ys.len() + outputs, 0.0),
                }
                rows += 1;
            }
        }
        if starts.is_empty() {
            return Ok(None);
        }
        let xs = Tensor::from_vec(xs, (rows as usize, self.width), &Device::Cpu)?.to_dtype(dtype)?;
        let ys = Tensor::from_vec(ys, ((), outputs), &Device::Cpu)?;
        let rows = Rows { xs, ys, weights: None };
        let (steps, starts) = (shape.window, (!plain).then_some(starts));
        Ok(Some(Windows { rows, steps, starts, last: None, baselines: None }))
    }

    /// The targets at the last row of each window of a part, in the windows' order, (N, K) of F64.
    pub(super) fn last_targets(
        &self,
        parts: &[Part],
        wanted: Part,
        shape: WindowShape<'_>,
        subtract: &SubtractLast,
    ) -> Result<Tensor> {
        let ends = self.ends_of(parts, wanted, shape);
        let last: Vec<f64> = ends.iter().flat_map(|end| subtract.targets_of(self.at(*end))).collect();
        Ok(Tensor::from_vec(last, (ends.len(), self.outputs), &Device::Cpu)?)
    }

    /// The places of the rows that the windows of a part end with, in the windows' order.
    pub(super) fn ends_of(&self, parts: &[Part], wanted: Part, shape: WindowShape<'_>) -> Vec<usize> {
        let pieces = self.pieces(parts, wanted, shape).into_iter();
        let ends = pieces.flat_map(|piece| piece.start + shape.window - 1..piece.end - shape.reach());
        ends.filter(|end| self.is_known(*end, shape.steps)).collect()
    }

    /// The places of rows of a part that follow each other, where they have room for a window and its target.
    fn pieces(&self, parts: &[Part], wanted: Part, shape: WindowShape<'_>) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        for run in self.timeline.runs() {
            let mut start = run.start;
            for same in parts[run.clone()].chunk_by(|a, b| a == b) {
                let piece = start..start + same.len();
                start = piece.end;
                if same[0] == wanted && piece.len() >= shape.rows() {
                    pieces.push(piece);
                }
            }
        }
        pieces
    }

    /// The targets of the row at a place, in their own units; NaN where one is missing.
    pub(super) fn targets_at(&self, place: usize) -> &[f64] {
        let row = self.timeline.row(place);
        &self.targets[row * self.outputs..(row + 1) * self.outputs]
    }

    /// Whether there is a target so many steps after this place each, and a window may end there: no later row helped to
    /// fill it.
    fn is_known(&self, end: usize, steps: &[usize]) -> bool {
        let has_target = |step: &usize| !self.targets_at(end + step).iter().any(|target| target.is_nan());
        steps.iter().all(has_target) && !self.looks_ahead.contains(&end)
    }
}

/// Checks that the targets of so many windows fit into memory.
fn require_room(windows: usize, outputs: usize) -> Result<()> {
    let bytes = windows.checked_mul(8 * outputs).map(|bytes| bytes as u64);
    MemoryLimit::of_free().check(bytes).map_err(|problem| Error::key("data.horizon", problem))
}
