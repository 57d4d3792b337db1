//! Apache Parquet, read by arrow's reader chunk by chunk of each row group: <https://parquet.apache.org>.

pub(super) mod batches;
mod decode;
mod positioned;
pub(super) mod shared;

use std::cell::Cell;
use std::os::unix::fs::FileExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use parquet::basic::Compression;
use parquet::column::reader::ColumnReader;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use self::decode::decode;
use self::positioned::PositionedFile;
use super::dialect::Dialect;
use super::input::Input;
use super::meaning::{Held, Meaning};
use super::records::{Records, quoted, require_distinct, require_few};
use crate::data::table::row::Row;
use crate::data::table::value::Value;
use crate::error::{Error, Result};

/// Rows that are decoded at a time.
const CHUNK: usize = 4096;
/// A cell longer than this is no category.
const LONGEST_CELL: usize = 1 << 20;

pub(super) struct Parquet {
    path: PathBuf,
    dialect: Dialect,
    file: SerializedFileReader<PositionedFile>,
    columns: Vec<String>,
    /// For each column its place among the leaves of the schema, and the meaning of its values.
    leaves: Vec<(usize, Meaning)>,
    group: usize,
    /// The readers of the current row group, and its rows that they have not read yet.
    readers: Vec<Option<ColumnReader>>,
    left: usize,
    chunk: Vec<Vec<Held>>,
    next: usize,
    row: u64,
}

impl Parquet {
    pub(super) fn open(input: &Input, dialect: &Dialect) -> Result<Self> {
        let path = input.path().to_path_buf();
        let source = input.file()?;
        if has_encrypted_footer(&source) {
            let problem = "this Parquet file is encrypted, which is not read; write it without encryption";
            return Err(Error::data(&path, problem));
        }
        let file = guarded(|| SerializedFileReader::new(PositionedFile::new(source)))
            .map_err(|e| damaged(&path, &e))?;
        let schema = file.metadata().file_metadata().schema_descr_ptr();
        let (mut columns, mut leaves) = (Vec::new(), Vec::new());
        let roots = schema.root_schema().get_fields();
        require_few(&path, roots.len())?;
        let mut first = vec![None; roots.len()];
        for leaf in (0..schema.num_columns()).rev() {
            first[schema.get_column_root_idx(leaf)] = Some(leaf);
        }
        for (root, leaf) in roots.iter().zip(first) {
            let Some(leaf) = leaf else { continue };
            let meaning =
                if root.is_primitive() { Meaning::of(&schema.column(leaf)) } else { Meaning::Unusable };
            columns.push(root.name().to_owned());
            leaves.push((leaf, meaning));
        }
        require_distinct(&path, &columns)?;
        let (dialect, readers, chunk) = (dialect.clone(), Vec::new(), Vec::new());
        Ok(Self { path, dialect, file, columns, leaves, group: 0, readers, left: 0, chunk, next: 0, row: 0 })
    }

    /// Decodes the next rows; false at the end.
    fn advance(&mut self) -> Result<bool> {
        while self.left == 0 {
            if self.group == self.file.num_row_groups() {
                return Ok(false);
            }
            self.open_group()?;
        }
        self.decode_chunk()?;
        Ok(true)
    }

    /// Opens the next row group.
    fn open_group(&mut self) -> Result<()> {
        let group = guarded(|| self.file.get_row_group(self.group)).map_err(|e| damaged(&self.path, &e))?;
        self.left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let is_read = |(_, meaning): &&(usize, Meaning)| !matches!(meaning, Meaning::Unusable);
        for (leaf, _) in self.leaves.iter().filter(is_read) {
            require_codec(&self.path, group.metadata().column(*leaf).compression())?;
        }
        let reader = |(leaf, meaning): &(usize, Meaning)| match meaning {
            Meaning::Unusable => Ok(None),
            _ => guarded(|| group.get_column_reader(*leaf)).map(Some),
        };
        self.readers =
            self.leaves.iter().map(reader).collect::<Result<_, _>>().map_err(|e| damaged(&self.path, &e))?;
        self.group += 1;
        Ok(())
    }

    /// Decodes the next rows of the group.
    fn decode_chunk(&mut self) -> Result<()> {
        let rows = self.left.min(CHUNK);
        self.chunk.clear();
        for ((reader, (_, meaning)), name) in self.readers.iter_mut().zip(&self.leaves).zip(&self.columns) {
            let mut cells = Vec::with_capacity(rows);
            let read = if let Some(reader) = reader {
                guarded(|| decode(reader, *meaning, rows, |held| cells.push(held)))
            } else {
                cells.extend((0..rows).map(|_| Held::Nested));
                Ok(rows)
            };
            whole(&self.path, name, self.row, rows, read)?;
            self.chunk.push(cells);
        }
        self.left -= rows;
        self.next = 0;
        Ok(())
    }
}

impl Records for Parquet {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        row.clear();
        if self.chunk.first().is_none_or(|column| self.next == column.len()) && !self.advance()? {
            return Ok(false);
        }
        self.row += 1;
        row.line = self.row;
        for (column, name) in self.chunk.iter().zip(&self.columns) {
            row.push(value(&column[self.next], &self.dialect, &self.path, self.row, name)?);
        }
        self.next += 1;
        Ok(true)
    }
}

/// Whether a file ends as one whose footer is encrypted does:
/// <https://github.com/apache/parquet-format/blob/master/Encryption.md>.
fn has_encrypted_footer(file: &std::fs::File) -> bool {
    let mut magic = [0; 4];
    let start = file.metadata().map_or(0, |found| found.len().saturating_sub(4));
    file.read_exact_at(&mut magic, start).is_ok() && magic == *b"PARE"
}

fn text<'a>(bytes: &'a ByteArray, path: &Path, row: u64, name: &str) -> Result<&'a str> {
    let bad = |what: &str| Error::data(path, format!("row {row}, column {}: {what}", quoted(name)));
    if bytes.len() > LONGEST_CELL {
        return Err(bad(&format!("a cell of {} bytes; {LONGEST_CELL} are the most", bytes.len())));
    }
    std::str::from_utf8(bytes.data()).map(str::trim).map_err(|_| bad("the text is not UTF-8"))
}

/// The value of a cell.
fn value<'a>(held: &'a Held, dialect: &Dialect, path: &Path, row: u64, name: &str) -> Result<Value<'a>> {
    Ok(match held {
        Held::Missing => Value::Missing,
        Held::Number(number) if number.is_nan() => Value::Missing,
        Held::Single(number) if number.is_nan() => Value::Missing,
        Held::Number(number) => Value::Number(*number),
        Held::Single(number) => Value::Single(*number),
        Held::Integer(number) => Value::Integer(*number),
        Held::Decimal(digits, scale) => Value::Decimal { digits: *digits, scale: *scale },
        Held::Nested => Value::Nested,
        Held::Date(days) => Value::Date(*days),
        Held::Boolean(yes) => Value::Text(if *yes { "true" } else { "false" }),
        Held::Text(bytes) => match text(bytes, path, row, name)? {
            // The same rows give the same values in every format.
            text if dialect.is_missing(text) => Value::Missing,
            text => Value::Text(text),
        },
    })
}

/// Checks that all `rows` cells of a column were read, the first of which is behind the row `row`.
fn whole(
    path: &Path,
    name: &str,
    row: u64,
    rows: usize,
    read: std::result::Result<usize, ParquetError>,
) -> Result<()> {
    let problem = match read {
        Ok(found) if found == rows => return Ok(()),
        Ok(found) => format!("{found} of {rows} values; the file is damaged: write it again"),
        Err(error) => {
            format!("{error}; the file is damaged, or the column is encrypted: write it again, not encrypted")
        }
    };
    Err(Error::data(path, format!("column {}, rows from {} on: {problem}", quoted(name), row + 1)))
}

thread_local! {
    /// Whether a panic on this thread is the reader's.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread is one of the Parquet reader's, which becomes an error and is not to be printed.
pub(crate) fn is_guarded() -> bool {
    GUARDED.get()
}

/// Calls the reader: it trusts decoded lengths, and on some damaged files it panics where it should fail.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    let outer = GUARDED.replace(true);
    let result = std::panic::catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(outer);
    result.unwrap_or_else(|_| Err(ParquetError::General("its pages do not fit their headers".to_owned())))
}

fn damaged(path: &Path, error: &ParquetError) -> Error {
    Error::data(path, format!("not a Parquet file that can be read ({error}); is it complete?"))
}

/// Checks that this codec is built in.
fn require_codec(path: &Path, codec: Compression) -> Result<()> {
    let name = match codec {
        Compression::BROTLI(_) => "brotli",
        Compression::LZO => "LZO",
        _ => return Ok(()),
    };
    let problem = format!(
        "it is compressed with {name}, which is not built in; write it with snappy, zstd, gzip or lz4"
    );
    Err(Error::data(path, problem))
}
