//! The rows of a file that a run predicts: parsed in blocks and encoded on all cores.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::batch::{ColumnCells, RecordBatch};
use super::encode::RowEncoder;
use super::read::RecordBatchReader;
use super::row::Cells;
use super::value::Value;
use crate::error::Result;

/// The most chunks that are encoded together.
const MOST: usize = 16;

/// The rest of a file has to be read row by row. It has an error, whose message shows the text of a cell, or a column with
/// cells of several kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotInBlocks;

/// The cells that are a row's key.
#[derive(Debug, Clone)]
pub(crate) struct BlockKeys<K> {
    /// Their places among the columns of the file.
    pub(crate) places: Vec<usize>,
    /// A cell as a part of a key.
    pub(crate) of: fn(Value<'_>) -> K,
}

/// Some encoded rows.
#[derive(Debug)]
pub(crate) struct EncodedChunk<K> {
    pub(crate) rows: usize,
    /// The features of the rows, one row behind the other.
    pub(crate) features: Vec<f64>,
    /// Their keys, one row behind the other.
    pub(crate) keys: Vec<K>,
}

/// The sizes of chunks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkSize {
    /// The most rows of one.
    pub(crate) rows: usize,
    /// How many are encoded together.
    pub(crate) together: usize,
}

/// The rows of a file, encoded on all cores.
pub(crate) struct EncodedBlocks<'a, K> {
    reader: Box<dyn RecordBatchReader + 'a>,
    /// The columns of the file that are used, in the order that the encoder knows.
    columns: Vec<String>,
    encoder: RowEncoder<'a>,
    keys: BlockKeys<K>,
    size: ChunkSize,
    /// Rows that were read and not encoded.
    waiting: VecDeque<BatchRows>,
    /// Whether the rest has to be read row by row.
    failed: bool,
}

/// Some rows of a batch.
struct BatchRows {
    batch: Arc<RecordBatch>,
    rows: Range<usize>,
}

impl ChunkSize {
    /// Chunks of at most so many rows of so many features. All that are encoded together have twice as many numbers as
    /// `numbers` at most, or one chunk.
    pub(crate) fn new(rows: usize, width: usize, numbers: usize) -> Self {
        let together = (2 * rayon::current_num_threads()).min(MOST);
        Self { rows, together: (2 * numbers / (rows * width).max(1)).clamp(1, together) }
    }
}

impl<'a, K: Send> EncodedBlocks<'a, K> {
    pub(super) fn new(
        reader: Box<dyn RecordBatchReader + 'a>,
        columns: Vec<String>,
        encoder: RowEncoder<'a>,
        keys: BlockKeys<K>,
        size: ChunkSize,
    ) -> Self {
        Self { reader, columns, encoder, keys, size, waiting: VecDeque::new(), failed: false }
    }

    /// The next chunks in the order of the file; none at the end.
    ///
    /// # Errors
    /// The rest has to be read row by row: the encoder that [`Self::into_encoder`] gives knows the rows so far.
    pub(crate) fn next(&mut self) -> Result<Vec<EncodedChunk<K>>, NotInBlocks> {
        while self.waiting.len() < self.size.together && !self.failed {
            match self.reader.next() {
                Ok(Some(batch)) => self.wait(batch),
                Ok(None) => break,
                Err(_) => self.failed = true,
            }
        }
        let count = self.waiting.len().min(self.size.together);
        let waiting: Vec<BatchRows> = self.waiting.drain(..count).collect();
        if waiting.is_empty() {
            return if self.failed { Err(NotInBlocks) } else { Ok(Vec::new()) };
        }
        let mut chunks = Vec::with_capacity(count);
        let Self { encoder, keys, .. } = self;
        let encode =
            |rows: BatchRows, encoder: &mut RowEncoder<'_>| rows.encode(encoder, keys).ok_or(NotInBlocks);
        if encoder.encode_all(waiting, encode, |chunk| chunks.push(chunk)).is_err() {
            self.failed = true;
            self.waiting.clear();
        }
        if chunks.is_empty() { Err(NotInBlocks) } else { Ok(chunks) }
    }

    /// The encoder, which knows the names that training did not have of the rows so far.
    pub(crate) fn into_encoder(self) -> RowEncoder<'a> {
        self.encoder
    }

    /// Cuts a batch into the rows of chunks.
    fn wait(&mut self, batch: RecordBatch) {
        let Some(batch) = self.arranged(batch) else {
            self.failed = true;
            return;
        };
        let rows = batch.rows().len();
        let batch = Arc::new(batch);
        let starts = (0..rows).step_by(self.size.rows);
        let rows_from =
            |start| BatchRows { batch: batch.clone(), rows: start..rows.min(start + self.size.rows) };
        self.waiting.extend(starts.map(rows_from));
    }

    /// The batch with the columns in the order that the encoder knows; nothing where one has cells of several kinds.
    fn arranged(&self, mut batch: RecordBatch) -> Option<RecordBatch> {
        let known = self.reader.columns();
        if known != self.columns.as_slice() {
            let mut own: Vec<ColumnCells> = std::mem::take(&mut batch.columns);
            let place = |name: &String| known.iter().position(|own| own == name);
            let places: Vec<Option<usize>> = self.columns.iter().map(place).collect();
            let mixed = std::mem::take(&mut batch.mixed).into_iter();
            batch.mixed =
                mixed.filter_map(|mixed| places.iter().position(|place| *place == Some(mixed))).collect();
            let mut take = |place: &Option<usize>| {
                let cells = place.and_then(|place| own.get_mut(place));
                cells.map_or(ColumnCells::Absent, |cells| std::mem::replace(cells, ColumnCells::Absent))
            };
            batch.columns = places.iter().map(&mut take).collect();
        }
        let is_used = |column: &usize| self.encoder.uses(*column) || self.keys.places.contains(column);
        (!batch.mixed.iter().any(is_used)).then_some(batch)
    }
}

impl BatchRows {
    /// The encoded rows; nothing where one of them has an error.
    fn encode<K>(self, encoder: &mut RowEncoder<'_>, keys: &BlockKeys<K>) -> Option<EncodedChunk<K>> {
        let Self { batch, rows } = self;
        let mut chunk = EncodedChunk { rows: rows.len(), features: Vec::new(), keys: Vec::new() };
        chunk.features.reserve_exact(rows.len() * encoder.width());
        let mut features = Vec::new();
        let rows: Vec<usize> = rows.collect();
        encoder.begin_batch(&batch, rows.len());
        for rows in rows.chunks(encoder.block_rows()) {
            encoder.block(&batch, rows, &mut features).ok()?;
            chunk.features.extend_from_slice(&features);
        }
        for row in rows {
            let row = batch.row(row);
            chunk.keys.extend(keys.places.iter().map(|place| (keys.of)(row.value(*place))));
        }
        Some(chunk)
    }
}
