//! The header of a CSV file, and what its records are checked against.

use std::path::PathBuf;

use csv::ByteRecord;

use crate::data::table::read::column_sentinels::ColumnSentinels;
use crate::data::table::read::dialect::{Dialect, NumberForm};
use crate::data::table::read::records::{at_line, quoted};
use crate::data::table::value::Value;
use crate::error::{Error, Result};
use crate::names::counted;

/// The longest cell. A longer one is a quote that nothing closes, or no table.
pub(super) const LONGEST_CELL: usize = 1 << 20;

/// The columns and the dialect of a file.
#[derive(Debug)]
pub(super) struct CsvShape {
    pub(super) path: PathBuf,
    pub(super) columns: Vec<String>,
    pub(super) delimiter: u8,
    pub(super) dialect: Dialect,
    /// How numbers are written, where it is not the usual way.
    pub(super) numbers: Option<NumberForm>,
    /// The further values that are missing in each column; of rows, these are left to their reader.
    pub(super) sentinels: Vec<Option<ColumnSentinels>>,
}

impl CsvShape {
    /// A reader of records in its dialect.
    pub(super) fn reader<'a>(&self, bytes: &'a [u8]) -> csv::Reader<&'a [u8]> {
        csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(bytes.len().clamp(1, 1 << 16))
            .from_reader(bytes)
    }

    /// The value of a cell's text without blanks around it; `plain` is for numbers in another form.
    pub(super) fn value<'a>(&self, text: &'a str, plain: &mut String) -> Value<'a> {
        match &self.numbers {
            _ if self.dialect.is_missing(text) => Value::Missing,
            Some(numbers) => numbers.cell(text, plain),
            None => Value::Text(text),
        }
    }

    /// The further values that are missing in a column, if it has any.
    pub(super) fn sentinels(&self, column: usize) -> Option<&ColumnSentinels> {
        self.sentinels.get(column)?.as_ref()
    }

    fn named(&self, index: usize) -> String {
        self.columns.get(index).map_or(format!("{}", index + 1), |name| quoted(name))
    }

    pub(super) fn no_utf8(&self, line: u64, column: &str) -> Error {
        let problem = format!(
            "column {column} is not UTF-8; save the file as UTF-8, as with iconv -f LATIN1 -t UTF-8 FILE"
        );
        at_line(&self.path, line, problem)
    }

    /// Checks a record.
    pub(super) fn check(&self, record: &ByteRecord, line: u64) -> Result<()> {
        self.check_lengths(record.iter().map(<[u8]>::len), line)?;
        if let Some(index) = record.iter().position(|cell| cell.contains(&0)) {
            let problem = format!("column {} has a NUL byte; is this a table in text?", self.named(index));
            return Err(at_line(&self.path, line, problem));
        }
        Ok(())
    }

    /// Checks the lengths of a record's cells.
    pub(super) fn check_lengths(
        &self,
        lengths: impl ExactSizeIterator<Item = usize> + Clone,
        line: u64,
    ) -> Result<()> {
        let (cells, columns) = (lengths.len(), self.columns.len());
        if let Some((index, length)) = lengths.enumerate().find(|(_, length)| *length > LONGEST_CELL) {
            let problem = format!(
                "column {} has a cell of {length} bytes; is there a quote that nothing closes? {LONGEST_CELL} are the \
                 most",
                self.named(index)
            );
            return Err(at_line(&self.path, line, problem));
        }
        if cells == columns {
            return Ok(());
        }
        let why = if cells < columns {
            "is a delimiter missing, a quote not closed, or the file cut off here?"
        } else {
            "is a cell with the delimiter in it not quoted, or a quote not closed?"
        };
        let (cells, columns) = (counted(cells, "cell"), counted(columns, "column"));
        let problem = format!("{cells}, but the header has {columns}; {why}");
        Err(at_line(&self.path, line, problem))
    }
}
