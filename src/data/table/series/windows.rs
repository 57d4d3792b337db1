//! The windows of the parts of a series.

use std::ops::Range;

use candle_core::{DType, Device, Tensor};

use super::rows::SeriesRows;
use super::window::WindowShape;
use crate::data::split::Part;
use crate::data::stored::{Stored, StoredWriter};
use crate::data::subtract_last::SubtractLast;
use crate::data::table::collect;
use crate::data::{Rows, WindowForm, WindowedRows, Windows};
use crate::error::Result;

/// The rows that are read at once.
const ROWS: usize = 1024;

/// The windows within a part of a file.
#[derive(Clone, Copy)]
pub(super) struct PartWindows<'a> {
    /// The part of the row at each place.
    pub(super) parts: &'a [Part],
    pub(super) part: Part,
    pub(super) shape: WindowShape<'a>,
}

/// How the encoded rows of a file are kept.
#[derive(Clone, Copy)]
pub(super) struct RowStorage {
    pub(super) dtype: DType,
    /// Whether windows are in memory, else in a file.
    pub(super) in_memory: bool,
}

impl SeriesRows {
    /// The windows within a part, with their targets, if there are any.
    pub(super) fn windows(&self, of: PartWindows<'_>, storage: RowStorage) -> Result<Option<Windows>> {
        let (shape, pieces) = (of.shape, self.pieces(of));
        let starts = self.starts(&pieces, shape);
        if starts.is_empty() {
            return Ok(None);
        }
        let (rows, starts) = if storage.in_memory {
            // Windows that start one after the other need no list of their starts, and no rows behind the last of them.
            let plain = pieces.len() == 1 && pieces[0].len() + 1 == starts.len() + shape.rows();
            let places = if plain { pieces[0].start..pieces[0].end - shape.reach() } else { 0..0 };
            let pieces = if plain { vec![places] } else { pieces };
            let xs = self.inputs(&pieces)?.to_dtype(storage.dtype)?;
            let ys = self.targets(&pieces, &starts, shape, plain)?;
            (WindowedRows::Memory(Rows { xs, ys, weights: None }), (!plain).then_some(starts))
        } else {
            (WindowedRows::File(self.stored(&pieces, shape, storage.dtype)?), Some(starts))
        };
        Ok(Some(Windows { rows, steps: shape.window, starts, last: None, baselines: None }))
    }

    /// The first rows of the windows, counted over the pieces.
    fn starts(&self, pieces: &[Range<usize>], shape: WindowShape<'_>) -> Vec<u32> {
        let (mut starts, mut rows) = (Vec::new(), 0);
        for piece in pieces {
            let ends = piece.start + shape.window - 1..piece.end - shape.reach();
            let known = (rows..).zip(ends).filter(|(_, end)| self.is_known(*end, shape.steps));
            starts.extend(known.map(|(start, _)| u32::try_from(start).unwrap_or(u32::MAX)));
            rows += piece.len();
        }
        starts
    }

    /// The features of these rows in memory, (N, F).
    fn inputs(&self, pieces: &[Range<usize>]) -> Result<Tensor> {
        let rows: usize = pieces.iter().map(Range::len).sum();
        let mut xs = Vec::with_capacity(rows * self.width());
        pieces.iter().try_for_each(|piece| self.append(piece.clone(), &mut xs))?;
        Ok(Tensor::from_vec(xs, (rows, self.width()), &Device::Cpu)?)
    }

    /// The targets of the windows, each at the place of its first row: (N, S K), 0 where no window starts.
    fn targets(
        &self,
        pieces: &[Range<usize>],
        starts: &[u32],
        shape: WindowShape<'_>,
        plain: bool,
    ) -> Result<Tensor> {
        let outputs = self.outputs() * shape.steps.len();
        let rows = if plain { starts.len() } else { pieces.iter().map(Range::len).sum() };
        let mut ys = vec![0.0; rows * outputs];
        let places = pieces.iter().cloned().flatten();
        let mut starts = starts.iter().peekable();
        for (row, place) in (0..).zip(places) {
            if starts.next_if_eq(&&row).is_some() {
                let end = place + shape.window - 1;
                let own = shape.steps.iter().flat_map(|step| self.targets_at(end + step));
                let start = row as usize * outputs;
                ys[start..start + outputs].iter_mut().zip(own).for_each(|(y, own)| *y = *own);
            }
        }
        Ok(Tensor::from_vec(ys, (rows, outputs), &Device::Cpu)?)
    }

    /// These rows with their own targets in a file that reads them as windows.
    fn stored(&self, pieces: &[Range<usize>], shape: WindowShape<'_>, dtype: DType) -> Result<Stored> {
        let width = self.width();
        let mut writer = StoredWriter::create(collect::form(width, self.outputs(), dtype))?;
        let mut features = Vec::new();
        for piece in pieces {
            for start in piece.clone().step_by(ROWS) {
                let places = start..piece.end.min(start + ROWS);
                features.clear();
                self.append(places.clone(), &mut features)?;
                for (place, features) in places.zip(features.chunks_exact(width)) {
                    writer.add(features, self.targets_at(place), 0)?;
                }
            }
        }
        let targets = shape.steps.iter().map(|step| shape.window - 1 + step).collect();
        Ok(writer.finish()?.with_windows(WindowForm { rows: shape.window, targets }))
    }

    /// The targets at the last row of each window of a part, in the windows' order, (N, K) of F64.
    pub(super) fn last_targets(&self, of: PartWindows<'_>, subtract: &SubtractLast) -> Result<Tensor> {
        let ends = self.ends_of(of);
        let (mut last, mut features) = (Vec::with_capacity(ends.len() * self.outputs()), Vec::new());
        for end in &ends {
            features.clear();
            self.append(*end..end + 1, &mut features)?;
            last.extend(subtract.targets_of(&features));
        }
        Ok(Tensor::from_vec(last, (ends.len(), self.outputs()), &Device::Cpu)?)
    }

    /// The places of the rows that the windows of a part end with, in the windows' order.
    pub(super) fn ends_of(&self, of: PartWindows<'_>) -> Vec<usize> {
        let shape = of.shape;
        let pieces = self.pieces(of).into_iter();
        let ends = pieces.flat_map(|piece| piece.start + shape.window - 1..piece.end - shape.reach());
        ends.filter(|end| self.is_known(*end, shape.steps)).collect()
    }

    /// The places of rows of a part that follow each other, where they have room for a window and its target.
    fn pieces(&self, PartWindows { parts, part, shape }: PartWindows<'_>) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        for run in self.timeline().runs() {
            let mut start = run.start;
            for same in parts[run.clone()].chunk_by(|a, b| a == b) {
                let piece = start..start + same.len();
                start = piece.end;
                if same[0] == part && piece.len() >= shape.rows() {
                    pieces.push(piece);
                }
            }
        }
        pieces
    }

    /// Whether there is a target so many steps after this place each, and a window may end there: no later row helped to
    /// fill it.
    fn is_known(&self, end: usize, steps: &[usize]) -> bool {
        let has_target = |step: &usize| !self.targets_at(end + step).iter().any(|target| target.is_nan());
        steps.iter().all(has_target) && self.may_end_at(end)
    }
}
