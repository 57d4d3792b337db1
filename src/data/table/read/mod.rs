//! Tables as files: CSV, JSONL and Parquet, read row by row in bounded memory.

mod csv;
mod input;
mod jsonl;
mod meaning;
mod parquet;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::row::Row;
use crate::error::{Error, Result};

pub use self::csv::Dialect;
pub(crate) use self::parquet::is_guarded;
pub use input::Input;

/// A table's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// What the ending of a file's name says, `.gz` left aside.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        match name.trim_end_matches(".gz").rsplit_once('.')?.1 {
            "csv" | "tsv" | "txt" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// The rows of a table, one after the other.
pub trait Records {
    /// The names of the columns.
    fn columns(&self) -> &[String];

    /// Reads the next row into `row`; false at the end.
    fn next(&mut self, row: &mut Row) -> Result<bool>;
}

/// Opens a table. `wanted` are the columns that are asked for by name; a format whose rows name their own cells looks
/// for the names itself where there are none.
pub fn open(
    input: &Input,
    format: Format,
    dialect: &Dialect,
    wanted: Option<&[String]>,
) -> Result<Box<dyn Records>> {
    Ok(match format {
        Format::Csv => Box::new(csv::Csv::open(input, dialect)?),
        Format::Jsonl => Box::new(jsonl::Jsonl::open(input, dialect, wanted)?),
        Format::Parquet => Box::new(parquet::Parquet::open(input)?),
    })
}

/// An error at a line of a table.
fn at_line(path: &Path, line: u64, problem: impl std::fmt::Display) -> Error {
    Error::data(path, format!("line {line}: {problem}"))
}

/// "column `age`", fit for a terminal.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.escape_debug())
}

/// "it has `a`, `b`"
pub(crate) fn listed(columns: &[String]) -> String {
    const SHOWN: usize = 30;
    let mut names: Vec<String> = columns.iter().take(SHOWN).map(|name| quoted(name)).collect();
    if columns.len() > SHOWN {
        names.push(format!("and {} more", columns.len() - SHOWN));
    }
    format!("it has {}", names.join(", "))
}

/// Refuses names that stand twice.
fn require_distinct(path: &Path, columns: &[String]) -> Result<()> {
    let mut seen = rustc_hash::FxHashMap::default();
    for (place, name) in (1..).zip(columns) {
        if let Some(first) = seen.insert(name.as_str(), place) {
            let problem =
                format!("the header has {} twice, in columns {first} and {place}; rename one", quoted(name));
            return Err(at_line(path, 1, problem));
        }
    }
    Ok(())
}
