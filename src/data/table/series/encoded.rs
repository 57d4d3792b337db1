//! The rows of a series as features and targets.

use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::features::SeriesFeatures;
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

/// The most batches that are encoded together, and the numbers after which no other is added; the rows of a batch that is read row
/// by row.
const TOGETHER: usize = 8;
const NUMBERS: usize = 1 << 21;
const ROWS: u32 = 1024;

/// How the rows of a file are read.
#[derive(Clone, Copy)]
pub(super) struct SeriesReading<'a> {
    pub(super) encoder: &'a TableEncoder,
    pub(super) order: &'a SeriesOrder,
    pub(super) path: &'a Path,
    /// Whether the targets are read too.
    pub(super) labelled: bool,
    /// The most MiB of features in memory.
    pub(super) memory: u64,
}

/// Encoded rows in the order of the file, before anything is filled.
pub(super) struct EncodedCells {
    pub(super) features: SeriesFeatures,
    /// The targets of a row; 0 where they are not read.
    pub(super) outputs: usize,
    /// NaN where a target is missing.
    pub(super) targets: Vec<f64>,
    rows: u32,
    holes: Vec<Hole>,
}

/// The rows of a batch, encoded.
#[derive(Default)]
struct BatchCells {
    features: Vec<f64>,
    targets: Vec<f64>,
    rows: u32,
    /// By the row's number in the batch.
    holes: Vec<Hole>,
    /// Room for the numbers of a row.
    row: Vec<f64>,
}

impl EncodedCells {
    fn new(reading: &SeriesReading<'_>) -> Self {
        let SeriesReading { encoder, labelled, memory, .. } = *reading;
        let features = SeriesFeatures::new(encoder.features(), memory);
        let outputs = if labelled { encoder.target.width() } else { 0 };
        Self { features, outputs, targets: Vec::new(), rows: 0, holes: Vec::new() }
    }

    /// The rows of a reader, which `see` sees, too.
    pub(super) fn of_records(
        reading: &SeriesReading<'_>,
        records: &mut dyn Records,
        mut see: impl FnMut(&Row) -> Result<()>,
    ) -> Result<Self> {
        let SeriesReading { encoder, path, labelled, .. } = *reading;
        let mut encoder = RowEncoder::new(encoder, path, records.columns(), labelled)?;
        let (mut cells, mut batch, mut row) = (Self::new(reading), BatchCells::default(), Row::default());
        while records.next(&mut row)? {
            see(&row)?;
            batch.push(reading, &mut encoder, &row)?;
            if batch.rows == ROWS {
                cells.append(std::mem::take(&mut batch))?;
            }
        }
        cells.append(batch)?;
        encoder.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(cells)
    }

    /// The rows of a table, which are encoded on all cores.
    pub(super) fn of_table(reading: &SeriesReading<'_>, table: &Opened) -> Result<Self> {
        let SeriesReading { encoder, path, labelled, .. } = *reading;
        let mut encoder = RowEncoder::new(encoder, path, table.columns(), labelled)?;
        let (mut cells, mut batches) = (Self::new(reading), table.last_batches()?);
        loop {
            let (mut waiting, mut numbers) = (Vec::with_capacity(TOGETHER), 0);
            while waiting.len() < TOGETHER
                && numbers < NUMBERS
                && let Some(batch) = batches.next()?
            {
                numbers += batch.rows().len() * encoder.width();
                waiting.push(batch);
            }
            if waiting.is_empty() {
                break;
            }
            let encode = |batch: Arc<RecordBatch>, encoder: &mut RowEncoder<'_>| {
                BatchCells::of(reading, &batch, encoder)
            };
            let mut encoded = Vec::with_capacity(TOGETHER);
            encoder.encode_all(waiting, encode, |batch| encoded.push(batch))?;
            encoded.into_iter().try_for_each(|batch| cells.append(batch))?;
        }
        encoder.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(cells)
    }

    /// Adds rows that follow.
    fn append(&mut self, batch: BatchCells) -> Result<()> {
        self.features.extend(&batch.features)?;
        self.targets.extend(batch.targets);
        let holes = batch.holes.into_iter();
        self.holes.extend(holes.map(|hole| Hole { row: self.rows + hole.row, ..hole }));
        self.rows += batch.rows;
        Ok(())
    }

    /// Fills the cells that are missing from the rows around them.
    /// Returns the places that a later row helped to fill.
    pub(super) fn fill(
        &mut self,
        reading: &SeriesReading<'_>,
        timeline: &Timeline,
        parts: Option<&[Part]>,
    ) -> Result<FxHashSet<usize>> {
        let Some(how) = reading.order.fill else { return Ok(FxHashSet::default()) };
        let encoder = reading.encoder;
        let mut filler = Filler { encoder, how, timeline, parts, features: &mut self.features };
        let filled = filler.fill(&self.holes)?;
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
        Ok(filled.looks_ahead)
    }
}

impl BatchCells {
    fn of(reading: &SeriesReading<'_>, batch: &RecordBatch, encoder: &mut RowEncoder<'_>) -> Result<Self> {
        let mut cells = Self::default();
        let rows = batch.rows();
        encoder.begin_batch(batch, rows.len());
        cells.features.reserve(rows.len() * encoder.width());
        for row in rows {
            cells.push(reading, encoder, &row)?;
        }
        Ok(cells)
    }

    /// Adds a row.
    fn push(
        &mut self,
        SeriesReading { order, labelled, encoder: fitted, .. }: &SeriesReading<'_>,
        encoder: &mut RowEncoder<'_>,
        row: &impl Cells,
    ) -> Result<()> {
        encoder.features(row, &mut self.row)?;
        self.features.extend_from_slice(&self.row);
        if order.fill.is_some() {
            let number = self.rows;
            self.holes.extend(encoder.missing(row).map(|column| Hole { row: number, column }));
        }
        if *labelled && order.fill.is_some() && encoder.is_target_missing(row) {
            self.targets.resize(self.targets.len() + fitted.target.width(), f64::NAN);
        } else if *labelled {
            encoder.targets(row, &mut self.row)?;
            self.targets.extend_from_slice(&self.row);
        }
        self.rows += 1;
        Ok(())
    }
}
