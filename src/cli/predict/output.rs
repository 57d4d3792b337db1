//! Answers as CSV, JSONL or Parquet, a few thousand rows at a time.

use std::fmt::{Display, LowerExp};
use std::io::{BufWriter, Write};
use std::sync::Arc;

use candle_core::{DType, Tensor};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::Format;
use super::answers::{Answers, Cell};
use crate::cli::table::printable;
use crate::error::{Error, Result};

/// Rows of a Parquet row group.
const GROUP: usize = 1 << 16;

/// Writes answers.
pub(super) struct Output<'a> {
    answers: Answers,
    sink: Sink<'a>,
    line: Vec<u8>,
    /// What comes before the first row.
    header: Vec<u8>,
    /// Whether what steers a terminal is written out.
    terminal: bool,
}

type Out<'a> = BufWriter<&'a mut (dyn Write + Send)>;

enum Sink<'a> {
    Csv(Out<'a>),
    Jsonl(Out<'a>, Vec<String>),
    Parquet(Box<SerializedFileWriter<Out<'a>>>, Columns),
}

/// The columns of a row group that is not written yet.
#[derive(Default)]
struct Columns {
    rows: usize,
    numbers: Vec<Vec<f64>>,
    texts: Vec<Vec<ByteArray>>,
    /// 1 where there is a value.
    levels: Vec<Vec<i16>>,
}

impl Columns {
    fn new(count: usize) -> Self {
        let (numbers, texts, levels) =
            (vec![Vec::new(); count], vec![Vec::new(); count], vec![Vec::new(); count]);
        Self { rows: 0, numbers, texts, levels }
    }

    fn add(&mut self, cells: &[Cell<'_>]) {
        for (index, cell) in cells.iter().enumerate() {
            self.levels[index].push(i16::from(*cell != Cell::Missing));
            match cell {
                Cell::Text(text) => self.texts[index].push(ByteArray::from(*text)),
                Cell::Number(number) => self.numbers[index].push(*number),
                Cell::Single(number) => self.numbers[index].push(f64::from(*number)),
                Cell::Missing => {}
            }
        }
        self.rows += 1;
    }
}

impl<'a> Output<'a> {
    pub(super) fn new(
        format: Format,
        answers: Answers,
        (out, terminal): (&'a mut (dyn Write + Send), bool),
    ) -> anyhow::Result<Self> {
        let out = BufWriter::with_capacity(1 << 16, out);
        let columns = answers.columns();
        let mut header = Vec::new();
        let sink = match format {
            Format::Csv => {
                for (index, column) in columns.iter().enumerate() {
                    separate(&mut header, index);
                    quote(column, &mut header);
                }
                header.push(b'\n');
                Sink::Csv(out)
            }
            Format::Jsonl => {
                let keys = columns.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
                Sink::Jsonl(out, keys)
            }
            Format::Parquet => {
                Sink::Parquet(Box::new(parquet(&answers, &columns, out)?), Columns::new(columns.len()))
            }
        };
        Ok(Self { answers, sink, line: Vec::new(), header, terminal })
    }

    /// Adds the rows of which the network says this, (N, K).
    pub(super) fn add(&mut self, said: &Tensor) -> anyhow::Result<()> {
        let width = said.dims()[1];
        let said = said.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        self.begin()?;
        // Taken apart, as the cells borrow from the answers.
        let Self { answers, sink, line, terminal, .. } = self;
        let mut cells = Vec::new();
        for row in said.chunks_exact(width) {
            answers.cells(row, &mut cells);
            put(sink, &cells, (line, *terminal))?;
        }
        Ok(())
    }

    /// Writes what comes before the first row.
    fn begin(&mut self) -> anyhow::Result<()> {
        if let Sink::Csv(out) | Sink::Jsonl(out, _) = &mut self.sink {
            send(out, &std::mem::take(&mut self.header), self.terminal)?;
        }
        Ok(())
    }

    /// Adds rows of which nothing can be said.
    pub(super) fn add_empty(&mut self, rows: usize) -> anyhow::Result<()> {
        let cells = vec![Cell::Missing; self.answers.columns().len()];
        self.begin()?;
        (0..rows).try_for_each(|_| put(&mut self.sink, &cells, (&mut self.line, self.terminal)))
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.begin()?;
        match self.sink {
            Sink::Csv(mut out) | Sink::Jsonl(mut out, _) => out.flush()?,
            Sink::Parquet(mut writer, mut columns) => {
                flush(&mut writer, &mut columns)?;
                writer.finish().map_err(|e| broken(&e))?;
                writer.inner_mut().flush()?;
            }
        }
        Ok(())
    }
}

fn put(
    sink: &mut Sink<'_>,
    cells: &[Cell<'_>],
    (line, terminal): (&mut Vec<u8>, bool),
) -> anyhow::Result<()> {
    line.clear();
    match sink {
        Sink::Csv(out) => {
            csv_line(cells, line)?;
            send(out, line, terminal)?;
        }
        Sink::Jsonl(out, keys) => {
            json_line(cells, keys, line)?;
            send(out, line, terminal)?;
        }
        Sink::Parquet(writer, columns) => {
            columns.add(cells);
            if columns.rows == GROUP {
                flush(writer, columns)?;
            }
        }
    }
    Ok(())
}

fn csv_line(cells: &[Cell<'_>], line: &mut Vec<u8>) -> std::io::Result<()> {
    for (index, cell) in cells.iter().enumerate() {
        separate(line, index);
        match cell {
            Cell::Text(text) => quote(text, line),
            Cell::Number(number) => write_number(line, *number)?,
            Cell::Single(number) => write_number(line, *number)?,
            Cell::Missing => {}
        }
    }
    if line.is_empty() {
        // A blank line is no row to most readers.
        line.extend(b"\"\"");
    }
    line.push(b'\n');
    Ok(())
}

fn json_line(cells: &[Cell<'_>], keys: &[String], line: &mut Vec<u8>) -> std::io::Result<()> {
    for (index, (cell, key)) in cells.iter().zip(keys).enumerate() {
        line.extend(if index == 0 { b"{".as_slice() } else { b"," });
        write!(line, "{key}:")?;
        match cell {
            Cell::Text(text) => serde_json::to_writer(&mut *line, text)?,
            Cell::Number(number) => write_number(line, *number)?,
            Cell::Single(number) => write_number(line, *number)?,
            Cell::Missing => line.extend(b"null"),
        }
    }
    line.extend(b"}\n");
    Ok(())
}

/// The shortest text that reads back as this number.
fn write_number(
    line: &mut Vec<u8>,
    number: impl Into<f64> + Copy + Display + LowerExp,
) -> std::io::Result<()> {
    let size = number.into().abs();
    if size != 0.0 && !(1e-5..1e16).contains(&size) {
        return write!(line, "{number:e}");
    }
    write!(line, "{number}")
}

/// Writes a line as it is, or to a terminal without what would steer it.
fn send(out: &mut impl Write, line: &[u8], terminal: bool) -> std::io::Result<()> {
    if !terminal {
        return out.write_all(line);
    }
    let text = String::from_utf8_lossy(line);
    let lines: Vec<String> = text.split('\n').map(printable).collect();
    out.write_all(lines.join("\n").as_bytes())
}

fn separate(line: &mut Vec<u8>, index: usize) {
    if index > 0 {
        line.push(b',');
    }
}

/// A text in CSV, in quotes where it needs them.
fn quote(text: &str, line: &mut Vec<u8>) {
    if text.contains([',', '"', '\n', '\r']) || text.trim() != text {
        line.push(b'"');
        line.extend(text.replace('"', "\"\"").as_bytes());
        line.push(b'"');
    } else {
        line.extend(text.as_bytes());
    }
}

fn parquet<W: Write + Send>(
    answers: &Answers,
    columns: &[String],
    out: W,
) -> anyhow::Result<SerializedFileWriter<W>> {
    let field = |(index, name): (usize, &String)| {
        let text = answers.is_text(index);
        let kind = if text { Physical::BYTE_ARRAY } else { Physical::DOUBLE };
        let builder = Type::primitive_type_builder(name, kind).with_repetition(Repetition::OPTIONAL);
        builder.with_logical_type(text.then_some(LogicalType::String)).build().map(Arc::new)
    };
    let fields = columns.iter().enumerate().map(field).collect::<Result<_, _>>().map_err(|e| broken(&e))?;
    let schema =
        Type::group_type_builder("predictions").with_fields(fields).build().map_err(|e| broken(&e))?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(|e| broken(&e))
}

/// Writes the rows so far as a row group.
fn flush<W: Write + Send>(writer: &mut SerializedFileWriter<W>, columns: &mut Columns) -> anyhow::Result<()> {
    if columns.rows == 0 {
        return Ok(());
    }
    let mut group = writer.next_row_group().map_err(|e| broken(&e))?;
    let mut index = 0;
    while let Some(mut column) = group.next_column().map_err(|e| broken(&e))? {
        let levels = Some(columns.levels[index].as_slice());
        let written = match column.untyped() {
            ColumnWriter::DoubleColumnWriter(writer) => {
                writer.write_batch(&columns.numbers[index], levels, None)
            }
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                writer.write_batch(&columns.texts[index], levels, None)
            }
            _ => Ok(0),
        };
        written.map_err(|e| broken(&e))?;
        column.close().map_err(|e| broken(&e))?;
        index += 1;
    }
    group.close().map_err(|e| broken(&e))?;
    *columns = Columns::new(columns.levels.len());
    Ok(())
}

fn broken(error: &parquet::errors::ParquetError) -> anyhow::Error {
    // What lies beneath is the disk, or a pipe that nobody reads.
    Error::Io {
        action: "write",
        path: "the Parquet output".into(),
        source: std::io::Error::other(error.to_string()),
    }
    .into()
}
