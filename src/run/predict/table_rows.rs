//! The rows of a table to predict, encoded some thousand at a time.

use std::path::Path;

use candle_core::{Device, Tensor};

use super::keyed_rows::{Inputs, KeyedRows, See};
use super::keys::{Keep, KeyCell, KeyColumns, KeyedRecords};
use super::open_table::OpenTable;
use crate::data::preprocess::TableEncoder;
use crate::data::table::encoded_blocks::{BlockKeys, ChunkSize, NotInBlocks};
use crate::data::table::read::Records;
use crate::data::table::{Opened, Row, RowEncoder};
use crate::error::Result;

/// The rows of a table to predict.
#[derive(Clone, Copy)]
pub(super) struct TableRows<'a> {
    pub(super) path: &'a Path,
    pub(super) encoder: &'a TableEncoder,
    /// The most rows of a batch.
    pub(super) most: usize,
    /// The most numbers of one.
    pub(super) numbers: usize,
    pub(super) keep: Keep<'a>,
}

impl<'s> TableRows<'s> {
    /// Calls `see` with all rows of a table: those of a file are parsed and encoded on all cores.
    pub(super) fn of_table(self, table: &OpenTable, see: &'s mut See<'s>) -> Result<()> {
        match table {
            OpenTable::File(file) => self.of_file(file, see),
            OpenTable::Stdin { .. } => {
                let mut records = table.records()?;
                self.of_records(KeyedRecords::new(&mut *records, self.path, self.keep)?, see)
            }
        }
    }

    /// Calls `see` with all rows, one read after the other.
    pub(super) fn of_records(self, mut records: KeyedRecords<'_>, see: &'s mut See<'s>) -> Result<()> {
        see.keys(&records.columns.names)?;
        let encoder = RowEncoder::new(self.encoder, self.path, records.columns(), false)?;
        let batches = RowBatches::new(self, records.columns.names.len(), see);
        rest(&mut records, encoder, batches)
    }

    fn of_file(self, table: &Opened, see: &'s mut See<'s>) -> Result<()> {
        let columns = KeyColumns::new(self.path, table.columns(), self.keep)?;
        see.keys(&columns.names)?;
        let encoder = RowEncoder::new(self.encoder, self.path, table.columns(), false)?;
        let keys = BlockKeys { places: columns.places().to_vec(), of: KeyCell::of };
        let size = ChunkSize::new(self.most, self.encoder.features(), self.numbers);
        let mut blocks = table.encoded(encoder, keys, size)?;
        let (mut batches, mut rows) = (RowBatches::new(self, columns.names.len(), see), 0);
        loop {
            match blocks.next() {
                Ok(chunks) if chunks.is_empty() => {
                    return batches.finish(&blocks.into_encoder());
                }
                Ok(chunks) => {
                    for chunk in chunks {
                        rows += chunk.rows;
                        batches.add(&chunk.features, chunk.keys)?;
                    }
                }
                Err(NotInBlocks) => break,
            }
        }
        let mut records = table.records()?;
        let mut records = KeyedRecords::new(&mut *records, self.path, self.keep)?;
        let mut row = Row::default();
        for _ in 0..rows {
            if !records.next(&mut row)? {
                break;
            }
            records.take(1);
        }
        rest(&mut records, blocks.into_encoder(), batches)
    }
}

/// Hands on the rows that were not read yet.
fn rest(
    records: &mut KeyedRecords<'_>,
    mut encoder: RowEncoder<'_>,
    mut batches: RowBatches<'_>,
) -> Result<()> {
    let (mut row, mut features) = (Row::default(), Vec::new());
    while records.next(&mut row)? {
        encoder.features(&row, &mut features)?;
        let keys = records.take(1);
        batches.add(&features, keys)?;
    }
    batches.finish(&encoder)
}

/// Encoded rows on their way, which are handed on as many at a time as go through the network together.
struct RowBatches<'s> {
    rows: TableRows<'s>,
    see: &'s mut See<'s>,
    numbers: Vec<f64>,
    keys: Vec<KeyCell>,
    /// The keys of a row.
    keys_a_row: usize,
}

impl<'s> RowBatches<'s> {
    fn new(rows: TableRows<'s>, keys_a_row: usize, see: &'s mut See<'s>) -> Self {
        Self { rows, see, numbers: Vec::new(), keys: Vec::new(), keys_a_row }
    }

    /// Adds rows, one behind the other, and hands on those that are enough.
    fn add(&mut self, features: &[f64], keys: Vec<KeyCell>) -> Result<()> {
        self.numbers.extend_from_slice(features);
        self.keys.extend(keys);
        let full = self.rows.most * self.rows.encoder.features();
        while self.numbers.len() >= full {
            let more = self.numbers.split_off(full);
            let numbers = std::mem::replace(&mut self.numbers, more);
            let more = self.keys.split_off(self.rows.most * self.keys_a_row);
            let keys = std::mem::replace(&mut self.keys, more);
            self.hand_on(numbers, keys)?;
        }
        Ok(())
    }

    /// Hands on the last rows, and warns of odd cells.
    fn finish(mut self, encoder: &RowEncoder<'_>) -> Result<()> {
        let (numbers, keys) = (std::mem::take(&mut self.numbers), std::mem::take(&mut self.keys));
        if !numbers.is_empty() {
            self.hand_on(numbers, keys)?;
        }
        encoder.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(())
    }

    fn hand_on(&mut self, numbers: Vec<f64>, keys: Vec<KeyCell>) -> Result<()> {
        let width = self.rows.encoder.features();
        let rows = numbers.len() / width;
        let inputs = Inputs::Whole(Tensor::from_vec(numbers, (rows, width), &Device::Cpu)?);
        self.see.rows(self.rows.path, KeyedRows { inputs, keys })
    }
}
