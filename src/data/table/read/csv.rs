//! Comma-separated values, RFC 4180, read by the crate csv: a header, then a record a line.

use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::ByteRecord;

use super::dialect::{Dialect, NumberForm};
use super::input::Input;
use super::records::{MOST_COLUMNS, Records, at_line, quoted, require_distinct, require_few};
use crate::data::table::row::Row;
use crate::data::table::value::Value;
use crate::error::{Error, Result};
use crate::names::counted;

/// The longest cell. A longer one is a quote that nothing closes, or no table.
const LONGEST_CELL: usize = 1 << 20;
/// The most bytes between the starts of two records.
const LONGEST_RECORD: u64 = 1 << 25;
/// The bytes at the head of a file in which the delimiter is looked for.
const HEAD: u64 = 1 << 16;
const DELIMITERS: [u8; 4] = *b",;\t|";

/// Counts the bytes read, and stops at a record that is too long.
struct Bounded<R> {
    inner: R,
    read: Arc<AtomicU64>,
    delimiter: u8,
    /// The delimiters so far, until the end of the first line.
    first_line: Option<usize>,
}

impl<R> Bounded<R> {
    /// Counts the delimiters of the first line; an error where it has far more than a table has columns.
    fn count(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(count) = self.first_line else { return Ok(()) };
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let line = &bytes[..end.unwrap_or(bytes.len())];
        let count = line.iter().fold(count, |count, byte| count + usize::from(*byte == self.delimiter));
        self.first_line = end.is_none().then_some(count);
        // Some of them may be within quotes.
        if count > 4 * MOST_COLUMNS {
            let problem = format!("more than {count} columns; a table has {MOST_COLUMNS} at most");
            return Err(io::Error::other(problem));
        }
        Ok(())
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read.load(Ordering::Relaxed) > LONGEST_RECORD {
            return Err(io::Error::other("the record does not end; is there a quote that nothing closes?"));
        }
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        self.count(&buffer[..read])?;
        Ok(read)
    }
}

pub(super) struct Csv {
    path: PathBuf,
    columns: Vec<String>,
    reader: csv::Reader<Bounded<Box<dyn Read>>>,
    record: ByteRecord,
    read: Arc<AtomicU64>,
    dialect: Dialect,
    /// How numbers are written, where it is not the usual way, and one of them in the usual way.
    numbers: Option<NumberForm>,
    plain: String,
}

impl Csv {
    pub(super) fn open(input: &Input, dialect: &Dialect) -> Result<Self> {
        let path = input.path().to_path_buf();
        let mut source = input.bytes()?;
        let mut head = Vec::new();
        source.by_ref().take(HEAD).read_to_end(&mut head).map_err(Error::io("read", &path))?;
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Err(Error::data(&path, "this is UTF-16; save it as UTF-8"));
        }
        if head.starts_with(b"PAR1") {
            return Err(Error::data(
                &path,
                "this is a Parquet file; give it the ending .parquet, or set `data.name` to `parquet`",
            ));
        }
        let given = dialect.delimiter.and_then(|delimiter| u8::try_from(delimiter).ok());
        let delimiter = given.unwrap_or_else(|| most_frequent(&head));
        let read = Arc::new(AtomicU64::new(0));
        let whole: Box<dyn Read> = Box::new(Cursor::new(head).chain(source));
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(1 << 16)
            .from_reader(Bounded { inner: whole, read: read.clone(), delimiter, first_line: Some(0) });
        let record = ByteRecord::new();
        let (dialect, numbers) = (dialect.clone(), dialect.number_form());
        let (columns, plain) = (Vec::new(), String::new());
        let mut csv = Self { path, columns, reader, record, read, dialect, numbers, plain };
        csv.header()?;
        Ok(csv)
    }

    fn header(&mut self) -> Result<()> {
        if !self.advance()? {
            return Err(Error::data(&self.path, "the file is empty; a table has a header and rows"));
        }
        require_few(&self.path, self.record.len())?;
        let mut names = Vec::new();
        for (index, cell) in self.record.iter().enumerate() {
            let name = std::str::from_utf8(cell).map_err(|_| self.no_utf8(1, &format!("{}", index + 1)))?;
            let name = name.trim();
            // As pandas calls the index that it wrote itself.
            names.push(if name.is_empty() { format!("Unnamed: {index}") } else { name.to_owned() });
        }
        if self.record.as_slice().contains(&0) {
            return Err(at_line(
                &self.path,
                1,
                "there is a NUL byte in the header; is this a table in text?",
            ));
        }
        require_distinct(&self.path, &names)?;
        self.columns = names;
        Ok(())
    }

    /// Reads the next record; false at the end.
    fn advance(&mut self) -> Result<bool> {
        self.read.store(0, Ordering::Relaxed);
        self.reader.read_byte_record(&mut self.record).map_err(|error| {
            let line = self.reader.position().line();
            match error.into_kind() {
                csv::ErrorKind::Io(error) => at_line(&self.path, line, error),
                other => at_line(&self.path, line, format!("{other:?}")),
            }
        })
    }

    /// The line that the record begins on. Its position is that of the blank lines before it.
    fn line(&self) -> u64 {
        let begun = self.record.position().map_or(0, csv::Position::line);
        let ended = self.reader.position().line();
        if ended <= begun + 1 {
            return begun;
        }
        let within = self.record.as_slice().iter().fold(0, |count, byte| count + u64::from(*byte == b'\n'));
        begun + (ended - begun - 1).saturating_sub(within)
    }

    fn no_utf8(&self, line: u64, column: &str) -> Error {
        let problem = format!(
            "column {column} is not UTF-8; save the file as UTF-8, as with iconv -f LATIN1 -t UTF-8 FILE"
        );
        at_line(&self.path, line, problem)
    }

    /// Checks the record that was read.
    fn check(&self, line: u64) -> Result<()> {
        let (cells, columns) = (self.record.len(), self.columns.len());
        let named =
            |index: usize| self.columns.get(index).map_or(format!("{}", index + 1), |name| quoted(name));
        if let Some(index) = self.record.iter().position(|cell| cell.len() > LONGEST_CELL) {
            let problem = format!(
                "column {} has a cell of {} bytes; is there a quote that nothing closes? {LONGEST_CELL} are the most",
                named(index),
                self.record[index].len()
            );
            return Err(at_line(&self.path, line, problem));
        }
        if cells != columns {
            let problem = format!(
                "{}, but the header has {}; is a cell with the delimiter in it not quoted, or a quote not closed?",
                counted(cells, "cell"),
                counted(columns, "column")
            );
            return Err(at_line(&self.path, line, problem));
        }
        if let Some(index) = self.record.iter().position(|cell| cell.contains(&0)) {
            let problem = format!("column {} has a NUL byte; is this a table in text?", named(index));
            return Err(at_line(&self.path, line, problem));
        }
        Ok(())
    }
}

impl Records for Csv {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        row.clear();
        loop {
            if !self.advance()? {
                return Ok(false);
            }
            // A line of blanks is no row.
            let blank =
                self.record.len() == 1 && self.columns.len() > 1 && self.record[0].trim_ascii().is_empty();
            if !blank {
                break;
            }
        }
        let line = self.line();
        row.line = line;
        self.check(line)?;
        for (index, cell) in self.record.iter().enumerate() {
            let text =
                std::str::from_utf8(cell).map_err(|_| self.no_utf8(line, &quoted(&self.columns[index])))?;
            let text = text.trim();
            row.push(match &self.numbers {
                _ if self.dialect.is_missing(text) => Value::Missing,
                Some(numbers) => numbers.cell(text, &mut self.plain),
                None => Value::Text(text),
            });
        }
        Ok(true)
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
