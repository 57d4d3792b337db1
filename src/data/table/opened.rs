//! A table that is read in several passes.

use std::path::Path;

use super::read::{self, Dialect, Format, Input, Records};
use crate::error::Result;

/// A table whose columns are known, which can be read again and again.
#[derive(Debug, Clone)]
pub struct Opened {
    input: Input,
    pub(super) format: Format,
    dialect: Dialect,
    columns: Vec<String>,
}

impl Opened {
    /// Opens a table. `wanted` are the columns that are asked for, where the format looks for them by name.
    pub fn new(input: Input, format: Format, dialect: Dialect, wanted: Option<&[String]>) -> Result<Self> {
        let columns = match wanted {
            Some(wanted) if format == Format::Jsonl => wanted.to_vec(),
            _ => read::open(&input, format, &dialect, None)?.columns().to_vec(),
        };
        Ok(Self { input, format, dialect, columns })
    }

    /// Its columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows from the first one on.
    pub fn records(&self) -> Result<Box<dyn Records>> {
        read::open(&self.input, self.format, &self.dialect, Some(&self.columns))
    }

    /// Where it is read from, for messages.
    pub fn path(&self) -> &Path {
        self.input.path()
    }
}
