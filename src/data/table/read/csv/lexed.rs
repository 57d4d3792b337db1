//! The cells of a block of CSV.
//!
//! Most blocks have no quotes, and only line feeds or CRLF as line ends: their cells lie between delimiters, which
//! `memchr` finds several times as fast as an automaton steps over bytes. All others are read by the crate csv.

use csv::ByteRecord;
use memchr::{memchr, memchr_iter, memchr2};

use super::shape::{CsvShape, LONGEST_CELL};
use crate::data::table::read::blocks::{Block, Span};
use crate::data::table::read::records::{at_line, quoted};
use crate::error::{Error, Result};

/// The cells of a block, row by row.
#[derive(Debug)]
pub(super) struct Lexed {
    text: String,
    spans: Vec<Span>,
    columns: usize,
    /// The line that each row begins on.
    pub(super) lines: Vec<u64>,
    /// Why no row follows, if that is an error.
    pub(super) failed: Option<Error>,
}

impl Lexed {
    /// The cells of a block, with its memory.
    pub(super) fn of(block: &mut Block, shape: &CsvShape) -> Self {
        let (bytes, line) = (std::mem::take(&mut block.bytes), block.line);
        let (columns, mut spans) = (shape.columns.len(), std::mem::take(&mut block.spans));
        spans.clear();
        let lines = Vec::with_capacity(spans.capacity() / columns.max(1));
        let empty = Self { text: String::new(), spans, columns, lines, failed: None };
        let is_plain = is_plain(&bytes);
        match String::from_utf8(bytes) {
            Ok(text) if is_plain => empty.with_plain(text, line, shape),
            Ok(text) => empty.with_any(text.as_bytes(), line, shape),
            Err(error) => empty.with_any(error.as_bytes(), line, shape),
        }
    }

    /// Gives its memory to the block that it was made of.
    pub(super) fn give_back(self, block: &mut Block) {
        block.bytes = self.text.into_bytes();
        block.spans = self.spans;
    }

    /// The cells of text without quotes.
    fn with_plain(mut self, text: String, first: u64, shape: &CsvShape) -> Self {
        let bytes = text.as_bytes();
        let (mut at, mut line) = (0, first);
        while at < bytes.len() {
            let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            let record = &bytes[at..end];
            let record = record.strip_suffix(b"\r").unwrap_or(record);
            if let Err(error) = self.push_record(record, at, line, shape) {
                self.failed = Some(error);
                break;
            }
            (at, line) = (end + 1, line + 1);
        }
        self.text = text;
        self
    }

    /// Adds the cells of a record that begins at `at`; a line of blanks is none.
    #[allow(clippy::cast_possible_truncation, reason = "a block is shorter than 2^32 bytes")]
    fn push_record(&mut self, record: &[u8], at: usize, line: u64, shape: &CsvShape) -> Result<()> {
        let (before, mut start) = (self.spans.len(), at);
        for end in memchr_iter(shape.delimiter, record).map(|place| at + place) {
            self.spans.push(Span { start: start as u32, end: end as u32 });
            start = end + 1;
        }
        let end = at + record.len();
        self.spans.push(Span { start: start as u32, end: end as u32 });
        let cells = self.spans.len() - before;
        if record.is_empty() || (cells == 1 && self.columns > 1 && record.trim_ascii().is_empty()) {
            self.spans.truncate(before);
            return Ok(());
        }
        if cells != self.columns || record.len() > LONGEST_CELL {
            let lengths = self.spans[before..].iter().map(|span| (span.end - span.start) as usize);
            if let Err(error) = shape.check_lengths(lengths, line) {
                self.spans.truncate(before);
                return Err(error);
            }
        }
        self.lines.push(line);
        Ok(())
    }

    /// The cells of any block.
    fn with_any(self, bytes: &[u8], first: u64, shape: &CsvShape) -> Self {
        let mut lexed = Self { text: String::with_capacity(bytes.len()), ..self };
        let (mut reader, mut record) = (shape.reader(bytes), ByteRecord::new());
        loop {
            match reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return lexed,
                Err(error) => {
                    let line = first - 1 + reader.position().line();
                    lexed.failed = Some(at_line(&shape.path, line, error));
                    return lexed;
                }
            }
            // A line of blanks is no row.
            if record.len() == 1 && lexed.columns > 1 && record[0].trim_ascii().is_empty() {
                continue;
            }
            let line = first - 1 + line_of(&record, reader.position().line());
            if let Err(error) = lexed.push_cells(&record, line, shape) {
                lexed.failed = Some(error);
                return lexed;
            }
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "a block is shorter than 2^32 bytes")]
    fn push_cells(&mut self, record: &ByteRecord, line: u64, shape: &CsvShape) -> Result<()> {
        shape.check(record, line)?;
        let before = self.spans.len();
        for (index, cell) in record.iter().enumerate() {
            let Ok(cell) = std::str::from_utf8(cell) else {
                self.spans.truncate(before);
                return Err(shape.no_utf8(line, &quoted(&shape.columns[index])));
            };
            let start = self.text.len() as u32;
            self.text.push_str(cell);
            self.spans.push(Span { start, end: self.text.len() as u32 });
        }
        self.lines.push(line);
        Ok(())
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The text of a cell, without blanks around it.
    pub(super) fn cell(&self, row: usize, column: usize) -> &str {
        let Span { start, end } = self.spans[row * self.columns + column];
        let text = &self.text[start as usize..end as usize];
        // Most cells have none.
        match text.as_bytes() {
            [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => text,
            _ => text.trim(),
        }
    }
}

/// Whether a block has no quotes and no zeros, and a line feed behind every carriage return but a last one.
fn is_plain(bytes: &[u8]) -> bool {
    let ends_line = |place: usize| bytes.get(place + 1).is_none_or(|next| *next == b'\n');
    memchr2(b'"', 0, bytes).is_none()
        && bytes.len() < u32::MAX as usize
        && memchr_iter(b'\r', bytes).all(ends_line)
}

/// The line that a record begins on, of which the reader stands on the line `ended` behind it. Its own position is that
/// of the blank lines before it.
fn line_of(record: &ByteRecord, ended: u64) -> u64 {
    let begun = record.position().map_or(0, csv::Position::line);
    if ended <= begun + 1 {
        return begun;
    }
    let within = record.as_slice().iter().fold(0, |count, byte| count + u64::from(*byte == b'\n'));
    begun + (ended - begun - 1).saturating_sub(within)
}
