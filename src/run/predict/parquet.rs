//! Predictions as a Parquet file.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::columns::Cell;
use crate::error::{Error, Result};

/// Rows of a row group.
const GROUP: usize = 1 << 16;

/// Writes rows in groups.
pub(super) struct ParquetRows<W: Write + Send> {
    /// The file, or before its first group where it goes.
    file: ParquetFile<W>,
    names: Vec<String>,
    /// Whether each of the last columns holds texts. Those before them are of a key: the first group shows it.
    texts: Vec<bool>,
    group: Vec<PendingColumn>,
    rows: usize,
}

enum ParquetFile<W: Write + Send> {
    New(W),
    Open(SerializedFileWriter<W>),
    Broken,
}

/// A column of the row group that is not written yet.
#[derive(Clone, Default)]
struct PendingColumn {
    numbers: Vec<f64>,
    texts: Vec<ByteArray>,
    /// 1 where there is a value.
    levels: Vec<i16>,
    /// Whether numbers are kept as texts.
    is_text: bool,
}

impl PendingColumn {
    fn add(&mut self, cell: &Cell<'_>) {
        self.levels.push(i16::from(*cell != Cell::Missing));
        match cell {
            Cell::Text(text) => {
                self.make_text();
                self.texts.push(ByteArray::from(*text));
            }
            Cell::Number(number) if self.is_text => {
                self.texts.push(ByteArray::from(number.to_string().as_str()));
            }
            Cell::Number(number) => self.numbers.push(*number),
            Cell::Single(number) => self.numbers.push(f64::from(*number)),
            Cell::Missing => {}
        }
    }

    /// A column with a text in it is one of texts.
    fn make_text(&mut self) {
        self.is_text = true;
        let numbers = std::mem::take(&mut self.numbers);
        self.texts.extend(numbers.into_iter().map(|number| ByteArray::from(number.to_string().as_str())));
    }

    /// The same without rows.
    fn emptied(&self) -> Self {
        Self { is_text: self.is_text, ..Self::default() }
    }
}

impl<W: Write + Send> ParquetRows<W> {
    /// Columns of these names, of which `texts` tells of the last ones whether they hold texts.
    pub(super) fn new(names: Vec<String>, texts: Vec<bool>, out: W) -> Self {
        let group = vec![PendingColumn::default(); names.len()];
        Self { file: ParquetFile::New(out), names, texts, group, rows: 0 }
    }

    /// The file, which the first call opens.
    fn file(&mut self) -> Result<&mut SerializedFileWriter<W>, ParquetError> {
        if matches!(self.file, ParquetFile::New(_))
            && let ParquetFile::New(out) = std::mem::replace(&mut self.file, ParquetFile::Broken)
        {
            let keys = self.names.len() - self.texts.len();
            let is_text =
                self.group[..keys].iter().map(|column| column.is_text).chain(self.texts.iter().copied());
            let fields = self.names.iter().zip(is_text).map(|(name, text)| field(name, text));
            let fields = fields.collect::<Result<_, ParquetError>>()?;
            let schema = Type::group_type_builder("predictions").with_fields(fields).build()?;
            let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
            self.file =
                ParquetFile::Open(SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?);
        }
        match &mut self.file {
            ParquetFile::Open(file) => Ok(file),
            _ => Err(ParquetError::General("the file could not be begun".to_owned())),
        }
    }

    pub(super) fn add(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.group.iter_mut().zip(cells).for_each(|(column, cell)| column.add(cell));
        self.rows += 1;
        if self.rows == GROUP { self.flush().map_err(|error| not_written(&error)) } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> Result<()> {
        let mut finish = || {
            self.flush()?;
            let file = self.file()?;
            file.finish()?;
            Ok(file.inner_mut().flush()?)
        };
        finish().map_err(|error| not_written(&error))
    }

    /// Writes the rows so far as a row group.
    fn flush(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.file()?;
        let ParquetFile::Open(file) = &mut self.file else { return Ok(()) };
        let mut group = file.next_row_group()?;
        for (PendingColumn { numbers, texts, levels, .. }, name) in self.group.iter().zip(&self.names) {
            let Some(mut column) = group.next_column()? else { break };
            let levels = Some(levels.as_slice());
            match column.untyped() {
                ColumnWriter::DoubleColumnWriter(_) if !texts.is_empty() => {
                    let problem = format!("column `{name}` has texts behind numbers; write CSV or JSONL");
                    return Err(ParquetError::General(problem));
                }
                ColumnWriter::DoubleColumnWriter(writer) => writer.write_batch(numbers, levels, None)?,
                ColumnWriter::ByteArrayColumnWriter(writer) => writer.write_batch(texts, levels, None)?,
                _ => 0,
            };
            column.close()?;
        }
        group.close()?;
        self.group = self.group.iter().map(PendingColumn::emptied).collect();
        self.rows = 0;
        Ok(())
    }
}

/// A column of texts or numbers, any of which may be missing.
fn field(name: &str, text: bool) -> Result<Arc<Type>, ParquetError> {
    let kind = if text { Physical::BYTE_ARRAY } else { Physical::DOUBLE };
    let builder = Type::primitive_type_builder(name, kind).with_repetition(Repetition::OPTIONAL);
    builder.with_logical_type(text.then_some(LogicalType::String)).build().map(Arc::new)
}

fn not_written(error: &ParquetError) -> Error {
    // What lies beneath is the disk, or a pipe that nobody reads.
    Error::io("write", "the Parquet output")(std::io::Error::other(error.to_string()))
}
