//! A table to predict, in a file or on standard input.

use std::path::Path;

use rustc_hash::FxHashSet;

use super::keys::{Keep, KeyColumns};
use crate::data::preprocess::{TableEncoder, TableFormat};
use crate::data::table::Opened;
use crate::data::table::read::{self, Dialect, Format, Input, Records};
use crate::error::Result;

/// A table that can be read.
pub(super) enum OpenTable {
    File(Opened),
    /// Standard input can be read once: it is opened where its rows are read.
    Stdin {
        format: Format,
        dialect: Dialect,
        names: Vec<String>,
    },
}

impl OpenTable {
    /// Opens a table with the columns of `encoder` and those to keep.
    pub(super) fn new(
        table: &TableFormat,
        encoder: &TableEncoder,
        input: &Path,
        keep: Keep<'_>,
    ) -> Result<Self> {
        let format = Format::of(input).unwrap_or(table.format);
        let mut names: Vec<String> = encoder.columns().map(|column| column.name.clone()).collect();
        let known: FxHashSet<&String> = names.iter().collect();
        let more: Vec<String> = keep.iter().filter(|name| !known.contains(name)).cloned().collect();
        names.extend(more);
        // A number that stands for a missing one in a feature is a key like others.
        let copied_columns = unused(encoder, keep);
        let dialect = Dialect { copied_columns, ..table.dialect.clone() };
        if input == Path::new("-") {
            return Ok(Self::Stdin { format, dialect, names });
        }
        let input = Input::File(input.to_path_buf());
        if format == Format::Jsonl {
            require_kept(&input, table, encoder, keep)?;
        }
        Ok(Self::File(Opened::new(input, format, dialect, Some(&names))?))
    }

    /// The rows from the start.
    pub(super) fn records(&self) -> Result<Box<dyn Records>> {
        match self {
            Self::File(table) => table.records(),
            Self::Stdin { format, dialect, names } => {
                read::open(&Input::Stdin, *format, dialect, Some(names))
            }
        }
    }

    /// The path that messages name.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::File(table) => table.path(),
            Self::Stdin { .. } => Input::Stdin.path(),
        }
    }
}

/// Requires that a line of a file has each of the columns to keep: its rows are read by the columns that are wanted. Of a file
/// that could not be trained on, nothing is said.
fn require_kept(input: &Input, table: &TableFormat, encoder: &TableEncoder, keep: Keep<'_>) -> Result<()> {
    let kept = unused(encoder, keep);
    if !kept.is_empty()
        && let Ok(all) = Opened::new(input.clone(), Format::Jsonl, table.dialect.clone(), None)
    {
        KeyColumns::new(all.path(), all.columns(), &kept)?;
    }
    Ok(())
}

/// Those of the columns to keep that are no features.
fn unused(encoder: &TableEncoder, keep: Keep<'_>) -> Vec<String> {
    let used = encoder.columns().filter(|column| column.ignored.is_none());
    let used: FxHashSet<&String> = used.map(|column| &column.name).collect();
    keep.iter().filter(|name| !used.contains(name)).cloned().collect()
}
