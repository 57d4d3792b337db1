//! A table that can be read several times.

use std::path::Path;

use super::read::{self, Dialect, Format, Input, Records};
use crate::error::Result;

/// A table with known columns that can be read several times.
#[derive(Debug, Clone)]
pub struct Opened {
    input: Input,
    pub(super) format: Format,
    dialect: Dialect,
    columns: Vec<String>,
}

impl Opened {
    /// Opens a table. `wanted` are the columns to look for, in formats whose rows name their cells.
    pub fn new(input: Input, format: Format, dialect: Dialect, wanted: Option<&[String]>) -> Result<Self> {
        let columns = match wanted {
            Some(wanted) if format == Format::Jsonl => wanted.to_vec(),
            _ => read::open(&input, format, &dialect, None)?.columns().to_vec(),
        };
        Ok(Self { input, format, dialect, columns })
    }

    /// The column names.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Reads the rows from the start.
    pub fn records(&self) -> Result<Box<dyn Records>> {
        read::open(&self.input, self.format, &self.dialect, Some(&self.columns))
    }

    /// The path, for messages.
    pub fn path(&self) -> &Path {
        self.input.path()
    }
}
