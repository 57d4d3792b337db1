//! Rows that have a value in each of the required columns: the others are left out, as if the file did not have them.

use super::batches::RecordBatchReader;
use super::dialect::Dialect;
use super::records::Records;
use crate::data::table::batch::{RecordBatch, is_complete};
use crate::data::table::row::Row;
use crate::error::Result;

/// The complete rows, read one by one.
pub(in crate::data::table) struct CompleteRecords {
    records: Box<dyn Records>,
    required: Vec<usize>,
    /// The rows so far that were left out.
    pub(in crate::data::table) left_out: u64,
}

/// The complete rows, some thousand at a time.
pub(in crate::data::table) struct CompleteBatches<'a> {
    reader: Box<dyn RecordBatchReader + 'a>,
    required: Vec<usize>,
    /// The rows so far that were left out.
    pub(in crate::data::table) left_out: u64,
}

/// The places of the columns that a dialect requires.
fn required(columns: &[String], dialect: &Dialect) -> Vec<usize> {
    (0..columns.len()).filter(|place| dialect.required_columns.contains(&columns[*place])).collect()
}

impl CompleteRecords {
    /// The complete ones of these rows, by the columns that `dialect` requires.
    pub(in crate::data::table) fn new(records: Box<dyn Records>, dialect: &Dialect) -> Self {
        let required = required(records.columns(), dialect);
        Self { records, required, left_out: 0 }
    }
}

impl Records for CompleteRecords {
    fn columns(&self) -> &[String] {
        self.records.columns()
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        while self.records.next(row)? {
            if is_complete(row, &self.required) {
                return Ok(true);
            }
            self.left_out += 1;
        }
        Ok(false)
    }
}

impl<'a> CompleteBatches<'a> {
    /// The complete ones of these rows, by the columns that `dialect` requires.
    pub(in crate::data::table) fn new(reader: Box<dyn RecordBatchReader + 'a>, dialect: &Dialect) -> Self {
        let required = required(reader.columns(), dialect);
        Self { reader, required, left_out: 0 }
    }
}

impl RecordBatchReader for CompleteBatches<'_> {
    fn columns(&self) -> &[String] {
        self.reader.columns()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(mut batch) = self.reader.next()? else { return Ok(None) };
        if !self.required.is_empty() {
            self.left_out += batch.leave_out_incomplete(&self.required) as u64;
        }
        Ok(Some(batch))
    }

    fn is_shared(&self) -> bool {
        self.reader.is_shared()
    }

    fn is_on_all_ranks(&self, is_here: bool) -> Result<bool> {
        self.reader.is_on_all_ranks(is_here)
    }
}
