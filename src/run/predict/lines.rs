//! Predictions as lines of CSV or JSON.

use std::fmt::{Display, LowerExp};
use std::io::{self, Write};

use super::columns::Cell;

/// The form of a file's lines.
pub(super) enum TextLines {
    Csv {
        /// The header, until it is written. It comes with the first row: an input that cannot be read leaves the output empty.
        header: Vec<String>,
    },
    Jsonl {
        /// The names of the columns as JSON strings.
        keys: Vec<String>,
    },
}

/// Some lines.
pub(super) enum LinesText<'a> {
    Csv { writer: Box<csv::Writer<Vec<u8>>>, number: Vec<u8> },
    Jsonl { keys: &'a [String], text: Vec<u8> },
}

impl TextLines {
    pub(super) fn csv(names: &[String]) -> Self {
        Self::Csv { header: names.to_vec() }
    }

    pub(super) fn jsonl(names: &[String]) -> Self {
        let keys = names.iter().map(|name| serde_json::Value::from(name.as_str()).to_string()).collect();
        Self::Jsonl { keys }
    }

    /// Writes the header, unless it is written or there is none.
    pub(super) fn write_header(&mut self, out: &mut impl Write) -> io::Result<()> {
        let Self::Csv { header } = self else { return Ok(()) };
        let header = std::mem::take(header);
        if header.is_empty() {
            return Ok(());
        }
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(&header).map_err(io_error)?;
        writer.flush()
    }

    /// Begins some lines.
    pub(super) fn begin(&self) -> LinesText<'_> {
        match self {
            Self::Csv { .. } => {
                LinesText::Csv { writer: Box::new(csv::Writer::from_writer(Vec::new())), number: Vec::new() }
            }
            Self::Jsonl { keys } => LinesText::Jsonl { keys, text: Vec::new() },
        }
    }
}

impl LinesText<'_> {
    /// Adds the line of a row.
    pub(super) fn add(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        match self {
            Self::Csv { writer, number } => add_csv(writer, number, cells),
            Self::Jsonl { keys, text } => add_json(text, keys, cells),
        }
    }

    /// The lines.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Csv { writer, .. } => (*writer).into_inner().map_err(csv::IntoInnerError::into_error),
            Self::Jsonl { text, .. } => Ok(text),
        }
    }
}

fn add_csv(writer: &mut csv::Writer<Vec<u8>>, number: &mut Vec<u8>, cells: &[Cell<'_>]) -> io::Result<()> {
    for cell in cells {
        let field = match cell {
            Cell::Text(text) | Cell::Written(text, _) => text.as_bytes(),
            Cell::Missing => b"",
            cell => {
                number.clear();
                write_number(number, *cell)?;
                number.as_slice()
            }
        };
        writer.write_field(field).map_err(io_error)?;
    }
    writer.write_record(None::<&[u8]>).map_err(io_error)
}

fn add_json(text: &mut Vec<u8>, keys: &[String], cells: &[Cell<'_>]) -> io::Result<()> {
    for (index, (cell, key)) in cells.iter().zip(keys).enumerate() {
        text.extend(if index == 0 { b"{".as_slice() } else { b"," });
        write!(text, "{key}:")?;
        match cell {
            Cell::Text(own) => serde_json::to_writer(&mut *text, own)?,
            Cell::Written(number, _) => text.extend(number.as_bytes()),
            Cell::Missing => text.extend(b"null"),
            number => write_number(text, *number)?,
        }
    }
    text.extend(b"}\n");
    Ok(())
}

/// The shortest text that reads back as the number of this cell.
fn write_number(line: &mut Vec<u8>, cell: Cell<'_>) -> io::Result<()> {
    fn write(line: &mut Vec<u8>, number: impl Into<f64> + Copy + Display + LowerExp) -> io::Result<()> {
        let size = number.into().abs();
        if size != 0.0 && !(1e-5..1e16).contains(&size) {
            return write!(line, "{number:e}");
        }
        write!(line, "{number}")
    }
    match cell {
        Cell::Integer(number) => write!(line, "{number}"),
        Cell::Number(number) => write(line, number),
        Cell::Single(number) => write(line, number),
        Cell::Text(_) | Cell::Written(..) | Cell::Missing => Ok(()),
    }
}

/// The error of the output itself, whose kind `From` would hide.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
