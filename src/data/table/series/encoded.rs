//! The rows of a series as features and targets.

use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::fill::{Filler, Hole};
use super::timeline::Timeline;
use crate::data::preprocess::{SeriesOrder, TableEncoder};
use crate::data::split::Part;
use crate::data::table::batch::RecordBatch;
use crate::data::table::read::Records;
use crate::data::table::row::{Cells, Row};
use crate::data::table::{Opened, RowEncoder};
use crate::error::Result;
use crate::names::counted;

/// The batches that are encoded together.
const TOGETHER: usize = 8;

/// How the rows of a file are read.
#[derive(Clone, Copy)]
pub(super) struct SeriesReading<'a> {
    pub(super) encoder: &'a TableEncoder,
    pub(super) order: &'a SeriesOrder,
    pub(super) path: &'a Path,
    /// Whether the targets are read too.
    pub(super) labelled: bool,
}

/// Encoded rows in the order of the file, before anything is filled.
pub(super) struct EncodedCells {
    /// The features of a row.
    pub(super) width: usize,
    pub(super) features: Vec<f64>,
    /// The targets of a row; 0 where they are not read.
    pub(super) outputs: usize,
    /// NaN where a target is missing.
    pub(super) targets: Vec<f64>,
    rows: u32,
    holes: Vec<Hole>,
}

/// Room for the numbers of a row.
#[derive(Default)]
struct SeriesNumbers {
    features: Vec<f64>,
    targets: Vec<f64>,
}

impl EncodedCells {
    fn new(reading: &SeriesReading<'_>) -> Self {
        let SeriesReading { encoder, labelled, .. } = *reading;
        let (width, outputs) = (encoder.features(), if labelled { encoder.target.width() } else { 0 });
        Self { width, features: Vec::new(), outputs, targets: Vec::new(), rows: 0, holes: Vec::new() }
    }

    /// The rows of a reader, which `see` sees, too.
    pub(super) fn of_records(
        reading: &SeriesReading<'_>,
        records: &mut dyn Records,
        mut see: impl FnMut(&Row) -> Result<()>,
    ) -> Result<Self> {
        let SeriesReading { encoder, path, labelled, .. } = *reading;
        let mut encoder = RowEncoder::new(encoder, path, records.columns(), labelled)?;
        let (mut cells, mut row, mut numbers) =
            (Self::new(reading), Row::default(), SeriesNumbers::default());
        while records.next(&mut row)? {
            see(&row)?;
            cells.push(reading, &mut encoder, &row, &mut numbers)?;
        }
        encoder.unseen().iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(cells)
    }

    /// The rows of a table, which are encoded on all cores.
    pub(super) fn of_table(reading: &SeriesReading<'_>, table: &Opened) -> Result<Self> {
        let SeriesReading { encoder, path, labelled, .. } = *reading;
        let mut encoder = RowEncoder::new(encoder, path, table.columns(), labelled)?;
        let (mut cells, mut batches) = (Self::new(reading), table.last_batches()?);
        loop {
            let mut waiting = Vec::with_capacity(TOGETHER);
            while waiting.len() < TOGETHER
                && let Some(batch) = batches.next()?
            {
                waiting.push(batch);
            }
            if waiting.is_empty() {
                break;
            }
            let encode = |batch: Arc<RecordBatch>, encoder: &mut RowEncoder<'_>| {
                Self::of_batch(reading, &batch, encoder)
            };
            encoder.encode_all(waiting, encode, |more| cells.append(more))?;
        }
        encoder.unseen().iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(cells)
    }

    fn of_batch(
        reading: &SeriesReading<'_>,
        batch: &RecordBatch,
        encoder: &mut RowEncoder<'_>,
    ) -> Result<Self> {
        let (mut cells, mut numbers) = (Self::new(reading), SeriesNumbers::default());
        let rows = batch.rows();
        encoder.begin_batch(batch, rows.len());
        cells.features.reserve(rows.len() * cells.width);
        cells.targets.reserve(rows.len() * cells.outputs);
        for row in rows {
            cells.push(reading, encoder, &row, &mut numbers)?;
        }
        Ok(cells)
    }

    /// Adds a row.
    fn push(
        &mut self,
        reading: &SeriesReading<'_>,
        encoder: &mut RowEncoder<'_>,
        row: &impl Cells,
        SeriesNumbers { features, targets }: &mut SeriesNumbers,
    ) -> Result<()> {
        let SeriesReading { order, labelled, .. } = *reading;
        encoder.features(row, features)?;
        self.features.extend_from_slice(features);
        if order.fill.is_some() {
            let number = self.rows;
            self.holes.extend(encoder.missing(row).map(|column| Hole { row: number, column }));
        }
        if labelled && order.fill.is_some() && encoder.is_target_missing(row) {
            self.targets.resize(self.targets.len() + self.outputs, f64::NAN);
        } else if labelled {
            encoder.targets(row, targets)?;
            self.targets.extend_from_slice(targets);
        }
        self.rows += 1;
        Ok(())
    }

    /// Adds rows that follow.
    fn append(&mut self, more: Self) {
        self.features.extend(more.features);
        self.targets.extend(more.targets);
        let holes = more.holes.into_iter();
        self.holes.extend(holes.map(|hole| Hole { row: self.rows + hole.row, ..hole }));
        self.rows += more.rows;
    }

    /// Fills the cells that are missing from the rows around them.
    /// Returns the places that a later row helped to fill.
    pub(super) fn fill(
        &mut self,
        reading: &SeriesReading<'_>,
        timeline: &Timeline,
        parts: Option<&[Part]>,
    ) -> FxHashSet<usize> {
        let Some(how) = reading.order.fill else { return FxHashSet::default() };
        let encoder = reading.encoder;
        let mut filler = Filler { encoder, how, timeline, parts, features: &mut self.features };
        let filled = filler.fill(&self.holes);
        filled.log(reading.path);
        let missing =
            self.targets.chunks(self.outputs.max(1)).filter(|row| row.iter().any(|y| y.is_nan())).count();
        if missing > 0 {
            tracing::info!(
                "{}: {} without a target {} not predicted",
                reading.path.display(),
                counted(missing, "row"),
                if missing == 1 { "is" } else { "are" }
            );
        }
        filled.looks_ahead
    }
}
