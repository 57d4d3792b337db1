//! The cells of a column of Parquet.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;

use crate::data::table::batch::NumericCells;
use crate::data::table::read::meaning::{Held, Meaning, int96};

/// Calls `see` with the next `rows` cells of a column; returns how many there were.
pub(super) fn decode(
    reader: &mut ColumnReader,
    meaning: Meaning,
    rows: usize,
    see: impl FnMut(Held),
) -> Result<usize, ParquetError> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => read(reader, rows, Held::Boolean, see),
        ColumnReader::Int32ColumnReader(reader) => {
            let cell = |number: i32| match meaning {
                Meaning::Unsigned => Held::Integer(i64::from(number.cast_unsigned())),
                _ => meaning.whole(i64::from(number)),
            };
            read(reader, rows, cell, see)
        }
        ColumnReader::Int64ColumnReader(reader) => read(reader, rows, |number| meaning.whole(number), see),
        ColumnReader::Int96ColumnReader(reader) => {
            read(reader, rows, |instant| Held::Date(int96(&instant)), see)
        }
        ColumnReader::FloatColumnReader(reader) => read(reader, rows, Held::Single, see),
        ColumnReader::DoubleColumnReader(reader) => read(reader, rows, Held::Number, see),
        ColumnReader::ByteArrayColumnReader(reader) => read(reader, rows, |bytes| meaning.bytes(bytes), see),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            read(reader, rows, |bytes| meaning.bytes(bytes.into()), see)
        }
    }
}

fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    cell: impl Fn(T::T) -> Held,
    mut see: impl FnMut(Held),
) -> Result<usize, ParquetError> {
    let ColumnRecords { values, levels } = ColumnRecords::read(reader, rows)?;
    // A column without missing values has no levels.
    if levels.is_empty() {
        let found = values.len();
        for value in values {
            see(cell(value));
        }
        return Ok(found);
    }
    let (found, mut values) = (levels.len(), values.into_iter());
    for level in levels {
        let present = if level > 0 { values.next() } else { None };
        see(present.map_or(Held::Missing, &cell));
    }
    Ok(found)
}

/// The next `rows` cells of a column whose values all are numbers, or all dates; nothing for another.
pub(super) fn decode_numeric(
    reader: &mut ColumnReader,
    meaning: Meaning,
    rows: usize,
) -> Option<Result<NumericCells, ParquetError>> {
    let cells = match (reader, meaning) {
        (ColumnReader::DoubleColumnReader(reader), _) => numbers(reader, rows, |number| number),
        (ColumnReader::FloatColumnReader(reader), _) => numbers(reader, rows, f64::from),
        (ColumnReader::Int32ColumnReader(reader), Meaning::Number) => numbers(reader, rows, f64::from),
        (ColumnReader::Int64ColumnReader(reader), Meaning::Number) => numbers(reader, rows, as_float),
        (ColumnReader::Int32ColumnReader(reader), Meaning::Date) => {
            return Some(numbers(reader, rows, f64::from).map(NumericCells::Dates));
        }
        (ColumnReader::Int64ColumnReader(reader), Meaning::Timestamp(a_day)) => {
            let days = numbers(reader, rows, |time| as_float(time) / a_day);
            return Some(days.map(NumericCells::Dates));
        }
        _ => return None,
    };
    Some(cells.map(NumericCells::Numbers))
}

#[allow(clippy::cast_precision_loss, reason = "a feature is a floating-point number")]
fn as_float(number: i64) -> f64 {
    number as f64
}

/// The next cells of a column as numbers, NaN where one is missing.
fn numbers<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    number: impl Fn(T::T) -> f64,
) -> Result<Vec<f64>, ParquetError> {
    let ColumnRecords { values, levels } = ColumnRecords::read(reader, rows)?;
    if values.len() >= levels.len() {
        return Ok(values.into_iter().map(number).collect());
    }
    let mut values = values.into_iter().map(number);
    let cell = |level| if level > 0 { values.next().unwrap_or(f64::NAN) } else { f64::NAN };
    Ok(levels.into_iter().map(cell).collect())
}

/// Cells as the reader gives them: the values of those that are not missing, and for each cell a level, which is 0 where it is
/// missing. A column that must have values has no levels.
struct ColumnRecords<T> {
    values: Vec<T>,
    levels: Vec<i16>,
}

impl<T> ColumnRecords<T> {
    /// The next `rows` cells, or those that are left.
    fn read<D: DataType<T = T>>(reader: &mut ColumnReaderImpl<D>, rows: usize) -> Result<Self, ParquetError> {
        let mut cells = Self { values: Vec::with_capacity(rows), levels: Vec::with_capacity(rows) };
        let mut read = 0;
        while read < rows {
            let Self { values, levels } = &mut cells;
            let (more, ..) = reader.read_records(rows - read, Some(levels), None, values)?;
            if more == 0 {
                break;
            }
            read += more;
        }
        Ok(cells)
    }
}
