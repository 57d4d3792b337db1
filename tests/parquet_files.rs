//! Small Parquet files for tests.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};

/// The values of a column.
pub(crate) enum Values {
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<Vec<u8>>),
}

impl Values {
    pub(crate) fn text<T: AsRef<str>>(texts: &[T]) -> Self {
        Self::Bytes(texts.iter().map(|text| text.as_ref().as_bytes().to_vec()).collect())
    }

    fn len(&self) -> usize {
        match self {
            Self::Int32(values) => values.len(),
            Self::Int64(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Double(values) => values.len(),
            Self::Bytes(values) => values.len(),
        }
    }

    /// Writes these rows.
    fn write(&self, rows: Range<usize>, column: &mut SerializedColumnWriter<'_>) {
        match self {
            Self::Int32(values) => column.typed::<Int32Type>().write_batch(&values[rows], None, None),
            Self::Int64(values) => column.typed::<Int64Type>().write_batch(&values[rows], None, None),
            Self::Float(values) => column.typed::<FloatType>().write_batch(&values[rows], None, None),
            Self::Double(values) => column.typed::<DoubleType>().write_batch(&values[rows], None, None),
            Self::Bytes(values) => {
                let values: Vec<ByteArray> = values[rows].iter().map(|bytes| bytes.clone().into()).collect();
                column.typed::<ByteArrayType>().write_batch(&values, None, None)
            }
        }
        .unwrap();
    }
}

/// Writes required columns; `schema` lists them as `double x; binary y (UTF8)`.
pub(crate) fn write(path: &Path, schema: &str, columns: &[Values]) {
    write_groups(path, schema, columns, usize::MAX);
}

/// The same in row groups of `most` rows, the last of which may be shorter.
pub(crate) fn write_groups(path: &Path, schema: &str, columns: &[Values], most: usize) {
    let fields: Vec<String> = schema.split(';').map(|field| format!("required {};", field.trim())).collect();
    let schema = format!("message m {{ {} }}", fields.join(" "));
    let schema = Arc::new(parquet::schema::parser::parse_message_type(&schema).unwrap());
    let mut writer =
        SerializedFileWriter::new(fs::File::create(path).unwrap(), schema, Arc::default()).unwrap();
    let (rows, mut start) = (columns.iter().map(Values::len).max().unwrap_or(0), 0_usize);
    loop {
        let end = start.saturating_add(most).min(rows);
        let mut group = writer.next_row_group().unwrap();
        for values in columns {
            let mut column = group.next_column().unwrap().unwrap();
            values.write(start..end, &mut column);
            column.close().unwrap();
        }
        group.close().unwrap();
        start = end;
        if start == rows {
            break;
        }
    }
    writer.close().unwrap();
}
