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

use super::columns::{Cell, Columns};
use crate::error::{Error, Result};

/// Rows of a row group.
const GROUP: usize = 1 << 16;

/// Writes rows in groups.
pub(super) struct ParquetRows<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    group: Vec<Column>,
    rows: usize,
}

/// A column of the row group that is not written yet.
#[derive(Clone, Default)]
struct Column {
    numbers: Vec<f64>,
    texts: Vec<ByteArray>,
    /// 1 where there is a value.
    levels: Vec<i16>,
}

impl Column {
    fn add(&mut self, cell: &Cell<'_>) {
        self.levels.push(i16::from(*cell != Cell::Missing));
        match cell {
            Cell::Text(text) => self.texts.push(ByteArray::from(*text)),
            Cell::Number(number) => self.numbers.push(*number),
            Cell::Single(number) => self.numbers.push(f64::from(*number)),
            Cell::Missing => {}
        }
    }
}

impl<W: Write + Send> ParquetRows<W> {
    pub(super) fn new(columns: &Columns, out: W) -> Result<Self> {
        let names = columns.names();
        let field = |(index, name): (usize, &String)| {
            let text = columns.is_text(index);
            let kind = if text { Physical::BYTE_ARRAY } else { Physical::DOUBLE };
            let builder = Type::primitive_type_builder(name, kind).with_repetition(Repetition::OPTIONAL);
            builder.with_logical_type(text.then_some(LogicalType::String)).build().map(Arc::new)
        };
        let open = || {
            let fields = names.iter().enumerate().map(field).collect::<Result<_, ParquetError>>()?;
            let schema = Type::group_type_builder("predictions").with_fields(fields).build()?;
            let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
            SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))
        };
        let writer = open().map_err(|error| not_written(&error))?;
        Ok(Self { writer, group: vec![Column::default(); names.len()], rows: 0 })
    }

    pub(super) fn add(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.group.iter_mut().zip(cells).for_each(|(column, cell)| column.add(cell));
        self.rows += 1;
        if self.rows == GROUP { self.flush().map_err(|error| not_written(&error)) } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> Result<()> {
        let mut finish = || {
            self.flush()?;
            self.writer.finish()?;
            Ok(self.writer.inner_mut().flush()?)
        };
        finish().map_err(|error| not_written(&error))
    }

    /// Writes the rows so far as a row group.
    fn flush(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for Column { numbers, texts, levels } in &self.group {
            let Some(mut column) = group.next_column()? else { break };
            let levels = Some(levels.as_slice());
            match column.untyped() {
                ColumnWriter::DoubleColumnWriter(writer) => writer.write_batch(numbers, levels, None)?,
                ColumnWriter::ByteArrayColumnWriter(writer) => writer.write_batch(texts, levels, None)?,
                _ => 0,
            };
            column.close()?;
        }
        group.close()?;
        self.group.fill(Column::default());
        self.rows = 0;
        Ok(())
    }
}

fn not_written(error: &ParquetError) -> Error {
    // What lies beneath is the disk, or a pipe that nobody reads.
    Error::io("write", "the Parquet output")(std::io::Error::other(error.to_string()))
}
