//! A table in text as blocks of whole records, which are parsed independently of one another.

use std::io::Read;
use std::path::PathBuf;

use memchr::{memchr, memchr_iter, memrchr};

use super::records::at_line;
use crate::error::{Error, Result};

/// The bytes of a block, unless a record is longer.
const BLOCK: usize = if cfg!(test) { 1 << 12 } else { 1 << 20 };

/// Some whole records.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// The line that they begin on.
    pub(super) line: u64,
    /// Room for the places of their cells.
    pub(super) spans: Vec<Span>,
}

/// The place of a cell in its block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The places where a record ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum RecordEnds {
    /// Every line end.
    Lines,
    /// The line ends that are not in quotes, in CSV with this delimiter.
    Quoted(u8),
}

/// Cuts a source into blocks.
pub(super) struct Blocks {
    path: PathBuf,
    source: Box<dyn Read + Send>,
    ends: RecordEnds,
    /// The most bytes of a record, and the problem with a longer one.
    pub(super) longest: usize,
    pub(super) too_long: String,
    /// Bytes that were read and belong to the next block.
    rest: Vec<u8>,
    line: u64,
    ended: bool,
    /// Blocks that were parsed. Their memory is used again: fresh pages cost more than to read into them.
    spare: Vec<Block>,
}

impl Blocks {
    pub(super) fn new(path: PathBuf, source: Box<dyn Read + Send>, ends: RecordEnds) -> Self {
        let (rest, too_long) = (Vec::new(), String::new());
        Self {
            path,
            source,
            ends,
            longest: usize::MAX,
            too_long,
            rest,
            line: 1,
            ended: false,
            spare: Vec::new(),
        }
    }

    /// Puts bytes back that begin on a line: the next block begins with them.
    pub(super) fn put_back(&mut self, block: Block) {
        let mut bytes = block.bytes;
        bytes.append(&mut self.rest);
        (self.rest, self.line) = (bytes, block.line);
    }

    /// Takes blocks that were parsed.
    pub(super) fn recycle(&mut self, blocks: Vec<Block>) {
        self.spare.extend(blocks.into_iter().filter(|block| block.bytes.capacity() > 0));
    }

    /// The next block, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Block>> {
        let Block { mut bytes, spans, .. } = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.append(&mut self.rest);
        let mut wanted = BLOCK;
        while !self.ended {
            let missing = wanted.saturating_sub(bytes.len());
            bytes.reserve(missing);
            let read = self.source.by_ref().take(missing as u64).read_to_end(&mut bytes);
            let read = read.map_err(|error| self.at(&bytes, error))?;
            self.ended = read < missing;
            if self.ended {
                break;
            }
            if let Some(end) = self.ends.last(&bytes) {
                self.rest.extend_from_slice(&bytes[end..]);
                bytes.truncate(end);
                break;
            }
            if bytes.len() > self.longest {
                return Err(at_line(&self.path, self.line, &self.too_long));
            }
            wanted = 2 * bytes.len();
        }
        let line = self.line;
        self.line += memchr_iter(b'\n', &bytes).count() as u64;
        Ok((!bytes.is_empty()).then_some(Block { bytes, line, spans }))
    }

    fn at(&self, bytes: &[u8], error: impl std::fmt::Display) -> Error {
        at_line(&self.path, self.line + memchr_iter(b'\n', bytes).count() as u64, error)
    }
}

impl RecordEnds {
    /// The place behind the last record that ends in bytes which begin with one.
    fn last(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Quoted(delimiter) if memchr(b'"', bytes).is_some() => last_unquoted(bytes, delimiter),
            // A line end of one byte alone is looked for where there are no others.
            Self::Quoted(_) => memrchr(b'\n', bytes).or_else(|| memrchr(b'\r', bytes)),
            Self::Lines => memrchr(b'\n', bytes),
        }
        .map(|end| end + 1)
    }
}

/// The last line end that is not in quotes. As for csv-core, a quote opens a cell where it is its first byte, and is a
/// byte like others behind one that closes.
fn last_unquoted(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let is_end = |byte: u8| byte == delimiter || byte == b'\n' || byte == b'\r';
    let (mut last, mut at) = (None, 0);
    loop {
        // Outside of quotes.
        let mut from = at;
        let open = loop {
            let Some(quote) = memchr(b'"', &bytes[from..]).map(|place| from + place) else { break None };
            if quote == 0 || is_end(bytes[quote - 1]) {
                break Some(quote);
            }
            from = quote + 1;
        };
        let outside = &bytes[at..open.unwrap_or(bytes.len())];
        last = memrchr(b'\n', outside).map(|place| at + place).or(last);
        // Inside.
        let Some(open) = open else { return last };
        at = open + 1;
        loop {
            let Some(quote) = memchr(b'"', &bytes[at..]).map(|place| at + place) else { return last };
            at = quote + 1;
            if bytes.get(at) != Some(&b'"') {
                break;
            }
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_where_a_record_does() {
        let cases: [(&str, Option<&str>); 8] = [
            ("a,b\n1,2\n3", Some("a,b\n1,2\n")),
            ("a,\"b\n1\",2\n3", Some("a,\"b\n1\",2\n")),
            ("\"a\n", None),
            ("\"a\"\"\n\"\n\"b\n", Some("\"a\"\"\n\"\n")),
            // A quote within a cell is a byte like others.
            ("5\" pipe,x\n\"y", Some("5\" pipe,x\n")),
            ("\"a\"b\"\n\"", Some("\"a\"b\"\n")),
            ("\"\",\"\"\n\"", Some("\"\",\"\"\n")),
            ("abc", None),
        ];
        for (text, expected) in cases {
            let end = RecordEnds::Quoted(b',').last(text.as_bytes());
            assert_eq!(end.map(|end| &text[..end]), expected, "{text:?}");
        }
    }
}
