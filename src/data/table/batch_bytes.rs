//! A batch as bytes: its numbers and codes for a file, and the whole of it for another rank.

use serde::{Deserialize, Serialize};

use super::batch::{Coded, ColumnCells, LineNumbers, RecordBatch};
use super::row::Row;
use super::value::Value;

/// The bytes of a cell of a column, without what its column keeps once.
fn width(cells: &ColumnCells) -> usize {
    match cells {
        ColumnCells::Numbers(_) | ColumnCells::Dates(_) => 8,
        ColumnCells::Coded(_) => 4,
        ColumnCells::Absent => 0,
    }
}

/// The bytes of the numbers and codes of a batch.
pub(super) fn count(batch: &RecordBatch) -> usize {
    batch.rows * batch.columns.iter().map(width).sum::<usize>()
}

/// Moves the numbers and codes of a batch to the end of `bytes`.
pub(super) fn take(batch: &mut RecordBatch, bytes: &mut Vec<u8>) {
    bytes.reserve(count(batch));
    for cells in &mut batch.columns {
        match cells {
            ColumnCells::Numbers(numbers) | ColumnCells::Dates(numbers) => {
                extend(bytes, &std::mem::take(numbers), f64::to_le_bytes);
            }
            ColumnCells::Coded(Coded { codes, .. }) => {
                extend(bytes, &std::mem::take(codes), u32::to_le_bytes);
            }
            ColumnCells::Absent => {}
        }
    }
}

/// Adds numbers of `N` bytes, as fast as memory is copied.
pub(super) fn extend<T: Copy, const N: usize>(bytes: &mut Vec<u8>, numbers: &[T], of: impl Fn(T) -> [u8; N]) {
    let start = bytes.len();
    bytes.resize(start + N * numbers.len(), 0);
    let slots = bytes[start..].as_chunks_mut().0;
    slots.iter_mut().zip(numbers).for_each(|(slot, number)| *slot = of(*number));
}

/// Gives a batch the numbers and codes that [`take`] has moved; there are [`count`] bytes.
pub(super) fn put_back(batch: &mut RecordBatch, bytes: &[u8]) {
    let (rows, mut at) = (batch.rows, 0);
    for cells in &mut batch.columns {
        let own = &bytes[at..at + rows * width(cells)];
        at += own.len();
        match cells {
            ColumnCells::Numbers(numbers) | ColumnCells::Dates(numbers) => {
                *numbers = own.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
            }
            ColumnCells::Coded(Coded { codes, .. }) => {
                *codes = own.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
            }
            ColumnCells::Absent => {}
        }
    }
}

/// A batch without its numbers and codes, as it is sent.
#[derive(Serialize, Deserialize)]
struct BatchHead<'a> {
    rows: usize,
    lines: LineNumbers,
    #[serde(borrow)]
    columns: Vec<ColumnHead<'a>>,
    mixed: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
enum ColumnHead<'a> {
    Numbers,
    Dates,
    /// The different cells.
    #[serde(borrow)]
    Coded(Vec<Value<'a>>),
    Absent,
}

fn head_of(cells: &ColumnCells) -> ColumnHead<'_> {
    match cells {
        ColumnCells::Numbers(_) => ColumnHead::Numbers,
        ColumnCells::Dates(_) => ColumnHead::Dates,
        ColumnCells::Coded(Coded { values, .. }) => {
            ColumnHead::Coded((0..values.len()).map(|at| values.value(at)).collect())
        }
        ColumnCells::Absent => ColumnHead::Absent,
    }
}

/// The message of a batch.
pub(super) fn encode(mut batch: RecordBatch) -> postcard::Result<Vec<u8>> {
    let mut numbers = Vec::new();
    take(&mut batch, &mut numbers);
    let columns = batch.columns.iter().map(head_of).collect();
    let head =
        BatchHead { rows: batch.rows, lines: batch.lines.clone(), columns, mixed: batch.mixed.clone() };
    let mut message = postcard::to_stdvec(&head)?;
    message.extend(numbers);
    Ok(message)
}

/// The batch of a message.
pub(super) fn decode(message: &[u8]) -> postcard::Result<RecordBatch> {
    let (BatchHead { rows, lines, columns, mixed }, numbers) = postcard::take_from_bytes(message)?;
    let column = |head| match head {
        ColumnHead::Numbers => ColumnCells::Numbers(Vec::new()),
        ColumnHead::Dates => ColumnCells::Dates(Vec::new()),
        ColumnHead::Coded(cells) => {
            let mut values = Row::default();
            for cell in cells {
                values.push(cell);
            }
            ColumnCells::Coded(Coded { codes: Vec::new(), values })
        }
        ColumnHead::Absent => ColumnCells::Absent,
    };
    let mut batch = RecordBatch { rows, lines, columns: columns.into_iter().map(column).collect(), mixed };
    if numbers.len() != count(&batch) {
        return Err(postcard::Error::DeserializeUnexpectedEnd);
    }
    put_back(&mut batch, numbers);
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::batch::Coder;
    use crate::data::table::row::Cells;

    /// A batch with cells of every kind.
    fn batch() -> RecordBatch {
        let cells = [
            Value::Text("red"),
            Value::Missing,
            Value::Written("1.234,5", 1234.5),
            Value::Integer(i64::MIN),
            Value::Single(f32::NEG_INFINITY),
            Value::Decimal { digits: -17, scale: 2 },
            Value::Date(-0.5),
            Value::Nested,
            Value::Number(f64::MIN_POSITIVE),
            Value::Text(""),
        ];
        let mut coder = Coder::default();
        for cell in cells {
            coder.push(cell);
        }
        let rows = cells.len();
        let numbers = (0..10).map(|row| if row == 3 { f64::NAN } else { 0.1 * f64::from(row) }).collect();
        let columns = vec![
            ColumnCells::Numbers(numbers),
            ColumnCells::Coded(coder.finish()),
            ColumnCells::Absent,
            ColumnCells::Dates(vec![1e5; rows]),
        ];
        let lines = LineNumbers::Each((5..).take(rows).collect());
        RecordBatch { mixed: vec![1], ..RecordBatch::new(rows, lines, columns) }
    }

    #[test]
    fn a_message_gives_the_batch_back() {
        let batch = batch();
        let message = encode(batch.clone()).unwrap();
        let received = decode(&message).unwrap();
        assert_eq!(received.mixed, [1]);
        for (sent, received) in batch.rows().zip(received.rows()) {
            assert_eq!(sent.line(), received.line());
            for column in 0..4 {
                assert_eq!(sent.value(column), received.value(column));
            }
        }
        assert!(decode(&message[..message.len() - 1]).is_err());
        assert!(decode(&[]).is_err());
    }
}
