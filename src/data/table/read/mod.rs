//! Tables as files: CSV, JSONL and Parquet, read row by row in bounded memory.

mod batches;
mod blocks;
mod column_sentinels;
mod complete;
mod csv;
mod decimal;
mod dialect;
mod input;
mod jsonl;
mod meaning;
mod parquet;
mod pipeline;
mod records;
mod sentinels;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::distributed::Communicator;
use crate::error::Result;

pub(crate) use self::parquet::is_guarded;
pub(super) use batches::{RecordBatchReader, WantedColumns};
pub use column_sentinels::WithoutSentinels;
pub(super) use complete::{CompleteBatches, CompleteRecords};
pub use dialect::Dialect;
pub(super) use dialect::NumberForm;
pub use input::Input;
pub use records::Records;
pub(crate) use records::{known_columns, listed, quoted};
pub use sentinels::MissingCells;

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
    /// The format by the extension of a file, `.gz` left aside.
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

/// A file with a table, and who reads it.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableFile<'a> {
    pub(super) input: &'a Input,
    pub(super) format: Format,
    pub(super) dialect: &'a Dialect,
    /// The ranks that read it at the same time.
    pub(super) ranks: &'a dyn Communicator,
}

/// Opens a table. `wanted` are the columns that are asked for by name; a format whose rows name their own cells looks
/// for the names itself where there are none.
pub fn open(
    input: &Input,
    format: Format,
    dialect: &Dialect,
    wanted: Option<&[String]>,
) -> Result<Box<dyn Records>> {
    let records: Box<dyn Records> = match format {
        Format::Csv => Box::new(csv::Csv::open(input, dialect)?),
        Format::Jsonl => Box::new(jsonl::Jsonl::open(input, dialect, wanted)?),
        Format::Parquet => Box::new(parquet::Parquet::open(input, dialect)?),
    };
    Ok(if dialect.na_values.is_empty() { records } else { Box::new(WithoutSentinels::new(records, dialect)) })
}

/// Opens a table to be read in batches.
pub(super) fn open_batches<'a>(
    file: &TableFile<'a>,
    wanted: &WantedColumns,
) -> Result<Box<dyn RecordBatchReader + 'a>> {
    let TableFile { input, format, dialect, ranks } = *file;
    Ok(match format {
        Format::Csv => Box::new(csv::CsvBatches::open(input, dialect, wanted)?),
        Format::Jsonl => Box::new(jsonl::batches::JsonlBatches::open(input, dialect, wanted)?),
        Format::Parquet if ranks.size() > 1 => parquet::shared::open(input, dialect, wanted, ranks)?,
        Format::Parquet => Box::new(parquet::batches::ParquetBatches::open(input, dialect, wanted)?),
    })
}
