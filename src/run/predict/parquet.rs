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
    values: Values,
    /// 1 where there is a value.
    levels: Vec<i16>,
}

/// The values of a column, in the least general type that holds all of them.
#[derive(Clone, Default)]
enum Values {
    /// None has come yet.
    #[default]
    None,
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
    Texts(Vec<ByteArray>),
}

impl PendingColumn {
    fn add(&mut self, cell: &Cell<'_>) {
        self.levels.push(i16::from(*cell != Cell::Missing));
        if *cell == Cell::Missing {
            return;
        }
        let values = std::mem::take(&mut self.values);
        self.values = match cell {
            Cell::Integer(_) => values.at_least_integers(),
            Cell::Number(_) | Cell::Single(_) => values.at_least_numbers(),
            Cell::Written(text, number) if is_double(text, *number) => values.at_least_numbers(),
            Cell::Text(_) | Cell::Written(..) | Cell::Missing => values.into_texts(),
        };
        match &mut self.values {
            Values::Integers(own) => own.extend(integer(*cell)),
            Values::Numbers(own) => own.extend(cell.number()),
            Values::Texts(own) => own.push(text(*cell)),
            Values::None => {}
        }
    }
}

impl Values {
    fn at_least_integers(self) -> Self {
        match self {
            Self::None => Self::Integers(Vec::new()),
            other => other,
        }
    }

    fn at_least_numbers(self) -> Self {
        match self {
            Self::None => Self::Numbers(Vec::new()),
            #[allow(clippy::cast_precision_loss, reason = "checked to be exact")]
            Self::Integers(own)
                if own.iter().all(|number| number.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS) =>
            {
                Self::Numbers(own.into_iter().map(|number| number as f64).collect())
            }
            integers @ Self::Integers(_) => integers.into_texts(),
            other => other,
        }
    }

    fn into_texts(self) -> Self {
        fn texts<T: ToString>(own: Vec<T>) -> Vec<ByteArray> {
            own.into_iter().map(|number| ByteArray::from(number.to_string().as_str())).collect()
        }
        Self::Texts(match self {
            Self::None => Vec::new(),
            Self::Integers(own) => texts(own),
            Self::Numbers(own) => texts(own),
            Self::Texts(own) => own,
        })
    }

    /// The physical type of a column that begins with these values.
    fn kind(&self) -> Physical {
        match self {
            Self::Texts(_) => Physical::BYTE_ARRAY,
            Self::Integers(_) => Physical::INT64,
            Self::None | Self::Numbers(_) => Physical::DOUBLE,
        }
    }
}

/// A whole number, where the cell is one.
fn integer(cell: Cell<'_>) -> Option<i64> {
    if let Cell::Integer(number) = cell { Some(number) } else { None }
}

/// Whether a double keeps all digits of a number. It does of fifteen.
fn is_double(text: &str, number: f64) -> bool {
    let digits = text.split(['e', 'E']).next().unwrap_or_default().bytes().filter(u8::is_ascii_digit);
    digits.count() <= f64::DIGITS as usize || number.to_string() == text
}

/// A cell as text.
fn text(cell: Cell<'_>) -> ByteArray {
    match cell {
        Cell::Text(text) | Cell::Written(text, _) => ByteArray::from(text),
        Cell::Integer(number) => ByteArray::from(number.to_string().as_str()),
        other => ByteArray::from(other.number().unwrap_or_default().to_string().as_str()),
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
            let of_texts = self
                .texts
                .iter()
                .map(|is_text| if *is_text { Physical::BYTE_ARRAY } else { Physical::DOUBLE });
            let kinds = self.group[..keys].iter().map(|column| column.values.kind()).chain(of_texts);
            let fields = self.names.iter().zip(kinds).map(|(name, kind)| field(name, kind));
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
        for (PendingColumn { values, levels }, name) in self.group.iter_mut().zip(&self.names) {
            let Some(mut column) = group.next_column()? else { break };
            write_column(column.untyped(), std::mem::take(values), levels, name)?;
            column.close()?;
        }
        group.close()?;
        self.group = vec![PendingColumn::default(); self.names.len()];
        self.rows = 0;
        Ok(())
    }
}

/// Writes the values of a column whose type the first row group has set.
fn write_column(
    writer: &mut ColumnWriter<'_>,
    values: Values,
    levels: &[i16],
    name: &str,
) -> Result<(), ParquetError> {
    let levels = Some(levels);
    let unlike = |what: &str| {
        let problem = format!("column `{name}` has other values behind {what}; write CSV or JSONL");
        Err(ParquetError::General(problem))
    };
    match (writer, values) {
        (ColumnWriter::Int64ColumnWriter(writer), values) => match values.at_least_integers() {
            Values::Integers(own) => writer.write_batch(&own, levels, None)?,
            _ => return unlike("whole numbers"),
        },
        (ColumnWriter::DoubleColumnWriter(writer), values) => match values.at_least_numbers() {
            Values::Numbers(own) => writer.write_batch(&own, levels, None)?,
            _ => return unlike("numbers"),
        },
        (ColumnWriter::ByteArrayColumnWriter(writer), values) => match values.into_texts() {
            Values::Texts(own) => writer.write_batch(&own, levels, None)?,
            _ => 0,
        },
        _ => 0,
    };
    Ok(())
}

/// A column, any of whose values may be missing.
fn field(name: &str, kind: Physical) -> Result<Arc<Type>, ParquetError> {
    let is_text = kind == Physical::BYTE_ARRAY;
    let builder = Type::primitive_type_builder(name, kind).with_repetition(Repetition::OPTIONAL);
    builder.with_logical_type(is_text.then_some(LogicalType::String)).build().map(Arc::new)
}

fn not_written(error: &ParquetError) -> Error {
    // The cause is the disk, or a pipe that nobody reads.
    Error::io("write", "the Parquet output")(std::io::Error::other(error.to_string()))
}
