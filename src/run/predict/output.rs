//! Predictions as CSV, JSONL or Parquet, some thousand rows at a time.

use std::fmt::{Display, LowerExp};
use std::io::{self, BufWriter, Write};

use candle_core::{DType, Tensor};

use super::columns::{Cell, Columns};
use super::keys::KeyCell;
use super::parquet::ParquetRows;
use crate::data::table::read::Format;
use crate::error::{Error, Result};

/// Writes predictions, each behind the key of its row.
pub(super) struct PredictionWriter<'a> {
    columns: Columns,
    /// The number of columns of a key.
    keys: usize,
    sink: FormatWriter<'a>,
}

type Out<'a> = BufWriter<&'a mut (dyn Write + Send)>;

enum FormatWriter<'a> {
    /// Before the columns are known.
    New(Format, Out<'a>),
    Csv(Box<CsvRows<'a>>),
    Jsonl(JsonRows<'a>),
    Parquet(Box<ParquetRows<Out<'a>>>),
    Finished,
}

impl<'a> PredictionWriter<'a> {
    pub(super) fn new(format: Format, columns: Columns, out: &'a mut (dyn Write + Send)) -> Self {
        Self { columns, keys: 0, sink: FormatWriter::New(format, BufWriter::with_capacity(1 << 16, out)) }
    }

    /// Sets the names of the keys' columns, before the first row.
    ///
    /// # Errors
    /// A column of the predictions has the same name.
    pub(super) fn begin(&mut self, keys: &[String]) -> Result<()> {
        let names = self.columns.names();
        if let Some(twice) = keys.iter().find(|key| names.contains(key)) {
            let problem = "the predictions have a column of this name; rename it in the input";
            return Err(Error::Config(format!("--keep {}: {problem}", twice.escape_debug())));
        }
        let texts: Vec<bool> = (0..names.len()).map(|index| self.columns.is_text(index)).collect();
        let names = [keys, names.as_slice()].concat();
        self.keys = keys.len();
        self.sink = match std::mem::replace(&mut self.sink, FormatWriter::Finished) {
            FormatWriter::New(Format::Csv, out) => FormatWriter::Csv(Box::new(CsvRows::new(out, names))),
            FormatWriter::New(Format::Jsonl, out) => FormatWriter::Jsonl(JsonRows::new(out, &names)),
            FormatWriter::New(Format::Parquet, out) => {
                FormatWriter::Parquet(Box::new(ParquetRows::new(names, texts, out)))
            }
            begun => begun,
        };
        Ok(())
    }

    /// Adds the rows of these scores, (N, K), with their keys.
    pub(super) fn add(&mut self, scores: &Tensor, keys: &[KeyCell]) -> Result<()> {
        let width = scores.dims()[1];
        let scores = scores.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        let (mut cells, mut predicted) = (Vec::new(), Vec::new());
        for (index, row) in scores.chunks_exact(width).enumerate() {
            cells.clear();
            cells.extend(keys[index * self.keys..][..self.keys].iter().map(KeyCell::cell));
            self.columns.cells(row, &mut predicted);
            cells.append(&mut predicted);
            self.sink.add(&cells)?;
        }
        Ok(())
    }

    /// Adds rows that cannot be predicted.
    pub(super) fn add_empty(&mut self, rows: usize, keys: &[KeyCell]) -> Result<()> {
        let width = self.columns.names().len();
        (0..rows).try_for_each(|row| {
            let key = keys[row * self.keys..][..self.keys].iter().map(KeyCell::cell);
            let cells: Vec<Cell<'_>> = key.chain(std::iter::repeat_n(Cell::Missing, width)).collect();
            self.sink.add(&cells)
        })
    }

    /// Writes the rows that are still buffered, and the end of the file.
    pub(super) fn finish(self) -> Result<()> {
        match self.sink {
            FormatWriter::Csv(rows) => rows.finish().map_err(not_written),
            FormatWriter::Jsonl(mut rows) => rows.out.flush().map_err(not_written),
            FormatWriter::Parquet(rows) => rows.finish(),
            FormatWriter::New(_, mut out) => out.flush().map_err(not_written),
            FormatWriter::Finished => Ok(()),
        }
    }
}

impl FormatWriter<'_> {
    fn add(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        match self {
            Self::Csv(rows) => rows.add(cells).map_err(not_written),
            Self::Jsonl(rows) => rows.add(cells).map_err(not_written),
            Self::Parquet(rows) => rows.add(cells),
            Self::New(..) | Self::Finished => Ok(()),
        }
    }
}

/// Nothing is written before the first row: an input that cannot be read leaves the output empty.
struct CsvRows<'a> {
    writer: csv::Writer<Out<'a>>,
    header: Vec<String>,
    number: Vec<u8>,
}

impl<'a> CsvRows<'a> {
    fn new(out: Out<'a>, header: Vec<String>) -> Self {
        Self { writer: csv::Writer::from_writer(out), header, number: Vec::new() }
    }

    fn begin(&mut self) -> io::Result<()> {
        let header = std::mem::take(&mut self.header);
        if header.is_empty() { Ok(()) } else { self.writer.write_record(&header).map_err(io_error) }
    }

    fn add(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.begin()?;
        for cell in cells {
            let field = match cell {
                Cell::Text(text) | Cell::Written(text, _) => text.as_bytes(),
                Cell::Missing => b"",
                number => {
                    self.number.clear();
                    write_number(&mut self.number, *number)?;
                    &self.number
                }
            };
            self.writer.write_field(field).map_err(io_error)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(io_error)
    }

    fn finish(mut self) -> io::Result<()> {
        self.begin()?;
        self.writer.flush()
    }
}

struct JsonRows<'a> {
    out: Out<'a>,
    /// The names of the columns as JSON strings.
    keys: Vec<String>,
    line: Vec<u8>,
}

impl<'a> JsonRows<'a> {
    fn new(out: Out<'a>, names: &[String]) -> Self {
        let keys = names.iter().map(|name| serde_json::Value::from(name.as_str()).to_string()).collect();
        Self { out, keys, line: Vec::new() }
    }

    fn add(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        let Self { out, keys, line } = self;
        line.clear();
        for (index, (cell, key)) in cells.iter().zip(keys).enumerate() {
            line.extend(if index == 0 { b"{".as_slice() } else { b"," });
            write!(line, "{key}:")?;
            match cell {
                Cell::Text(text) => serde_json::to_writer(&mut *line, text)?,
                Cell::Written(number, _) => line.extend(number.as_bytes()),
                Cell::Missing => line.extend(b"null"),
                number => write_number(line, *number)?,
            }
        }
        line.extend(b"}\n");
        out.write_all(line)
    }
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

fn not_written(error: io::Error) -> Error {
    Error::io("write", "the predictions")(error)
}
