//! Plain-text tables for the terminal.

use std::io::{self, Write};

pub(super) use crate::names::printable;

/// Aligns the columns: text to the left; from the second column on, numbers to the right.
pub(super) fn render(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let pad = " ".repeat(width - cell.chars().count());
            if column > 0 && is_number(cell) { format!("{pad}{cell}") } else { format!("{cell}{pad}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn is_number(cell: &str) -> bool {
    !cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit() || ".,-+e%".contains(c))
}

/// Writes lines to a terminal with their control characters escaped.
pub(super) struct Printable<W> {
    out: W,
    /// The line so far: a character may arrive in two chunks.
    line: Vec<u8>,
}

impl<W> Printable<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, line: Vec::new() }
    }
}

impl<W: Write> Write for Printable<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(end) => {
                    self.line.extend_from_slice(end);
                    let line = std::mem::take(&mut self.line);
                    writeln!(self.out, "{}", printable(&String::from_utf8_lossy(&line)))?;
                }
                None => self.line.extend_from_slice(piece),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// 1234567 as 1,234,567.
pub(super) fn thousands(number: u64) -> String {
    crate::report::thousands(&number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_comes_in_pieces_is_made_printable_as_a_whole() {
        let mut out = Vec::new();
        let mut printable = Printable::new(&mut out);
        let text = "a\u{1b}[2Jä\r\nb\n".as_bytes();
        // The fourth piece ends within the letter of two bytes.
        text.chunks(2).for_each(|piece| printable.write_all(piece).unwrap());
        assert_eq!(String::from_utf8(out).unwrap(), "a\\u{1b}[2Jä\\r\nb\n");
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(printable("a\u{202e}b\u{7}é"), "a\\u{202e}b\\u{7}é");
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["long".to_owned(), "1,000".to_owned()]];
        assert_eq!(render(&rows), "a         1\nlong  1,000\n");
        assert_eq!([thousands(999), thousands(1000), thousands(1_234_567)], ["999", "1,000", "1,234,567"]);
    }
}
