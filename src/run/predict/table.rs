//! Rows of a table in memory.

use std::path::Path;

use crate::data::table::read::Records;
use crate::data::table::{Row, Value};
use crate::error::{Error, Result};
use crate::names::counted;

/// Rows with named columns, to be predicted.
///
/// ```
/// use descent::run::Table;
///
/// let mut table = Table::new(["length", "colour"]);
/// table.push(&[5.1.into(), "red".into()])?;
/// assert_eq!(table.len(), 1);
/// # Ok::<(), descent::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Row>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row, one cell per column.
    ///
    /// # Errors
    /// Another number of cells.
    pub fn push(&mut self, cells: &[Value<'_>]) -> Result<()> {
        let line = self.rows.len() as u64 + 1;
        if cells.len() != self.columns.len() {
            let (cells, columns) = (counted(cells.len(), "cell"), counted(self.columns.len(), "column"));
            return Err(Error::data(NAME, format!("row {line}: it has {cells} for {columns}")));
        }
        let mut row = Row::default();
        for cell in cells {
            row.push(*cell);
        }
        row.line = line;
        self.rows.push(row);
        Ok(())
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn records(&self) -> InMemory<'_> {
        InMemory { columns: &self.columns, rows: self.rows.iter() }
    }
}

/// The name of a table in memory, for messages.
pub(super) const NAME: &str = "the table";

/// Reads a table in memory row by row.
pub(super) struct InMemory<'a> {
    columns: &'a [String],
    rows: std::slice::Iter<'a, Row>,
}

impl InMemory<'_> {
    pub(super) fn path() -> &'static Path {
        Path::new(NAME)
    }
}

impl Records for InMemory<'_> {
    fn columns(&self) -> &[String] {
        self.columns
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        let Some(next) = self.rows.next() else { return Ok(false) };
        row.clone_from(next);
        Ok(true)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}
