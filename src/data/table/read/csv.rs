//! Comma-separated values, RFC 4180, as the crate csv reads them: a header, then a record a line.
//!
//! A file is cut into blocks that end where a record does, which all cores parse. arrow-csv parses on one core, and
//! keeps neither line numbers nor the text of numbers; polars' and `DuckDB`'s readers are larger than this crate, and have
//! rules of their own for quotes and blanks.

mod columns;
mod lexed;
mod shape;

use std::io::{Cursor, Read};
use std::path::Path;

use csv::ByteRecord;

use self::lexed::Lexed;
use self::shape::CsvShape;
use super::batches::{RecordBatchReader, Use, WantedColumns, uses};
use super::blocks::{Block, Blocks, RecordEnds};
use super::column_sentinels::TableSentinels;
use super::dialect::Dialect;
use super::input::Input;
use super::pipeline::Pipeline;
use super::records::{MOST_COLUMNS, Records, at_line, require_distinct, require_few};
use crate::data::table::batch::RecordBatch;
use crate::data::table::row::Row;
use crate::error::{Error, Result};

/// The most bytes of a record.
const LONGEST_RECORD: usize = 1 << 25;
/// The bytes at the head of a file in which the delimiter is looked for.
const HEAD: u64 = 1 << 16;
const DELIMITERS: [u8; 4] = *b",;\t|";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file whose header was read.
struct OpenedCsv {
    shape: CsvShape,
    blocks: Blocks,
}

/// Reads the header of a file.
fn open(input: &Input, dialect: &Dialect) -> Result<OpenedCsv> {
    let path = input.path();
    let mut source = input.bytes()?;
    let mut head = Vec::new();
    source.by_ref().take(HEAD).read_to_end(&mut head).map_err(Error::io("read", path))?;
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Err(Error::data(path, "this is UTF-16; save it as UTF-8"));
    }
    if head.starts_with(b"PAR1") {
        return Err(Error::data(
            path,
            "this is a Parquet file; give it the ending .parquet, or set `data.name` to `parquet`",
        ));
    }
    let given = dialect.delimiter.and_then(|delimiter| u8::try_from(delimiter).ok());
    let delimiter = given.unwrap_or_else(|| most_frequent(&head));
    if head.starts_with(BYTE_ORDER_MARK) {
        head.drain(..BYTE_ORDER_MARK.len());
    }
    let whole = Box::new(Cursor::new(head).chain(source));
    let mut blocks = Blocks::new(path.to_path_buf(), whole, RecordEnds::Quoted(delimiter));
    blocks.longest = LONGEST_RECORD;
    "the record does not end; is there a quote that nothing closes?".clone_into(&mut blocks.too_long);
    let numbers = dialect.number_form();
    let (path, dialect, columns) = (path.to_path_buf(), dialect.clone(), Vec::new());
    let mut shape = CsvShape { path, columns, delimiter, dialect, numbers, sentinels: Vec::new() };
    read_header(&mut shape, &mut blocks)?;
    Ok(OpenedCsv { shape, blocks })
}

/// Reads the names of the columns.
fn read_header(shape: &mut CsvShape, blocks: &mut Blocks) -> Result<()> {
    let empty = || Error::data(&shape.path, "the file is empty; a table has a header and rows");
    let Block { mut bytes, spans, .. } = blocks.next()?.ok_or_else(empty)?;
    require_few_delimiters(&shape.path, &bytes, shape.delimiter)?;
    let mut record = ByteRecord::new();
    let mut reader = shape.reader(&bytes);
    if !reader.read_byte_record(&mut record).map_err(|error| at_line(&shape.path, 1, error))? {
        return Err(empty());
    }
    let (read, line) = (reader.position().byte(), reader.position().line());
    require_few(&shape.path, record.len())?;
    let mut names = Vec::new();
    for (index, cell) in record.iter().enumerate() {
        let name = std::str::from_utf8(cell).map_err(|_| shape.no_utf8(1, &format!("{}", index + 1)))?;
        let name = name.trim();
        // As pandas calls the index that it wrote itself.
        names.push(if name.is_empty() { format!("Unnamed: {index}") } else { name.to_owned() });
    }
    if record.as_slice().contains(&0) {
        let problem = "there is a NUL byte in the header; is this a table in text?";
        return Err(at_line(&shape.path, 1, problem));
    }
    require_distinct(&shape.path, &names)?;
    shape.columns = names;
    bytes.drain(..usize::try_from(read).unwrap_or(0).min(bytes.len()));
    blocks.put_back(Block { bytes, line, spans });
    Ok(())
}

/// An error where the first line has far more delimiters than a table has columns. Some of them may be within quotes.
fn require_few_delimiters(path: &Path, head: &[u8], delimiter: u8) -> Result<()> {
    let line = &head[..memchr::memchr(b'\n', head).unwrap_or(head.len())];
    let count = memchr::memchr_iter(delimiter, line).count();
    if count > 4 * MOST_COLUMNS {
        let problem = format!("more than {} columns; a table has {MOST_COLUMNS} at most", 4 * MOST_COLUMNS);
        return Err(at_line(path, 1, problem));
    }
    Ok(())
}

/// The rows of a file, one after the other.
pub(super) struct Csv {
    shape: CsvShape,
    blocks: Pipeline<Lexed>,
    current: Option<Lexed>,
    /// The next row of it.
    next: usize,
    /// A number in the usual way.
    plain: String,
}

impl Csv {
    pub(super) fn open(input: &Input, dialect: &Dialect) -> Result<Self> {
        let OpenedCsv { shape, blocks } = open(input, dialect)?;
        Ok(Self { shape, blocks: Pipeline::new(blocks), current: None, next: 0, plain: String::new() })
    }
}

impl Records for Csv {
    fn columns(&self) -> &[String] {
        &self.shape.columns
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        row.clear();
        let Self { shape, blocks, current, next, plain } = self;
        loop {
            match current {
                Some(lexed) if *next < lexed.rows() => {
                    row.line = lexed.lines[*next];
                    for column in 0..shape.columns.len() {
                        row.push(shape.value(lexed.cell(*next, column), plain));
                    }
                    *next += 1;
                    return Ok(true);
                }
                Some(Lexed { failed, .. }) if failed.is_some() => {
                    return failed.take().map_or(Ok(false), Err);
                }
                _ => {}
            }
            *next = 0;
            *current = blocks.next(&|block| Lexed::of(block, shape))?;
            if current.is_none() {
                return Ok(false);
            }
        }
    }
}

/// The rows of a file, as batches of columns.
pub(super) struct CsvBatches {
    shape: CsvShape,
    uses: Vec<Use>,
    blocks: Pipeline<Parsed>,
}

/// The rows of a block, and why none follows, if that is an error.
struct Parsed {
    batch: RecordBatch,
    failed: Option<Error>,
}

impl CsvBatches {
    pub(super) fn open(input: &Input, dialect: &Dialect, wanted: &WantedColumns) -> Result<Self> {
        let OpenedCsv { mut shape, blocks } = open(input, dialect)?;
        shape.sentinels = TableSentinels::new(dialect).of_each(&shape.columns);
        let uses = uses(&shape.columns, wanted);
        Ok(Self { shape, uses, blocks: Pipeline::new(blocks) })
    }
}

impl RecordBatchReader for CsvBatches {
    fn columns(&self) -> &[String] {
        &self.shape.columns
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Self { shape, uses, blocks } = self;
        let parse = |block: &mut Block| {
            let mut lexed = Lexed::of(block, shape);
            let parsed = Parsed { failed: lexed.failed.take(), batch: columns::batch(&lexed, shape, uses) };
            lexed.give_back(block);
            parsed
        };
        match blocks.next(&parse)? {
            Some(Parsed { failed: Some(error), .. }) => Err(error),
            parsed => Ok(parsed.map(|parsed| parsed.batch)),
        }
    }
}

/// The delimiter that the first line has most of, quoted text left aside; a comma where it has none.
fn most_frequent(head: &[u8]) -> u8 {
    let mut counts = [0u32; DELIMITERS.len()];
    let mut quoted = false;
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted && counts.iter().any(|count| *count > 0) => break,
            byte if !quoted => {
                if let Some(at) = DELIMITERS.iter().position(|delimiter| delimiter == byte) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
        // A column of one name has a line of its own.
        if *byte == b'\n' && !quoted {
            break;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    counts.iter().position(|count| *count == most && most > 0).map_or(b',', |at| DELIMITERS[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_the_one_that_the_header_has_most_of() {
        for (head, delimiter) in [
            ("a,b\n1;2;3", b','),
            ("a;b\n1,5;2,5", b';'),
            ("a\tb, c\td", b'\t'),
            ("a|b", b'|'),
            ("\"a;b;c\",d\n", b','),
            ("a\n1;2\n", b','),
        ] {
            assert_eq!(most_frequent(head.as_bytes()), delimiter, "{head}");
        }
    }
}
