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
    /// The names of the required columns: in some formats rows name their cells, and a column is known from its first row on.
    required: Vec<String>,
    /// The rows so far that were left out.
    pub(in crate::data::table) left_out: u64,
}

/// The places of the required columns. One that is not among the columns has the place behind the last: it is missing in all
/// rows.
fn places(columns: &[String], required: &[String]) -> Vec<usize> {
    let place = |name: &String| columns.iter().position(|own| own == name).unwrap_or(columns.len());
    required.iter().map(place).collect()
}

impl CompleteRecords {
    /// The complete ones of these rows, by the columns that `dialect` requires.
    pub(in crate::data::table) fn new(records: Box<dyn Records>, dialect: &Dialect) -> Self {
        let required = places(records.columns(), &dialect.required_columns);
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
        Self { reader, required: dialect.required_columns.clone(), left_out: 0 }
    }
}

impl RecordBatchReader for CompleteBatches<'_> {
    fn columns(&self) -> &[String] {
        self.reader.columns()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(mut batch) = self.reader.next()? else { return Ok(None) };
        if !self.required.is_empty() {
            let required = places(self.reader.columns(), &self.required);
            self.left_out += batch.leave_out_incomplete(&required) as u64;
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
