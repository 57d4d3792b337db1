//! The columns of a block of CSV.

use rustc_hash::FxHashMap;

use super::lexed::Lexed;
use super::shape::CsvShape;
use crate::data::table::batch::{Coded, ColumnCells, LineNumbers, RecordBatch};
use crate::data::table::read::batches::Use;
use crate::data::table::read::decimal;
use crate::data::table::value::Value;

/// The rows of a block as columns. A column whose cells are all finite numbers becomes numbers; others keep their text.
pub(super) fn batch(lexed: &Lexed, shape: &CsvShape, uses: &[Use]) -> RecordBatch {
    let columns = uses.iter().enumerate().map(|(column, own)| match own {
        Use::Ignored => ColumnCells::Absent,
        Use::Text => coded(lexed, column, shape),
        Use::Any => numbers(lexed, column, shape).unwrap_or_else(|| coded(lexed, column, shape)),
    });
    let lines = match lexed.lines.as_slice() {
        [first, .., last] if last - first + 1 == lexed.rows() as u64 => LineNumbers::From(*first),
        lines => LineNumbers::Each(lines.to_vec()),
    };
    RecordBatch::new(lexed.rows(), lines, columns.collect())
}

/// A column of numbers, if it is one.
fn numbers(lexed: &Lexed, column: usize, shape: &CsvShape) -> Option<ColumnCells> {
    let mut numbers = Vec::with_capacity(lexed.rows());
    let (mut plain, sentinels) = (String::new(), shape.sentinels(column));
    let is_sentinel = |value: Value<'_>| sentinels.is_some_and(|own| own.has(value));
    for row in 0..lexed.rows() {
        let text = lexed.cell(row, column);
        let number: Option<f64> = match &shape.numbers {
            None => decimal::parse(text),
            Some(form) => form.cell(text, &mut plain).number(),
        };
        let is_missing = || shape.dialect.is_missing(text) || is_sentinel(Value::Text(text));
        numbers.push(match number.filter(|number| number.is_finite()) {
            Some(number) if sentinels.is_none() => number,
            Some(number) if !is_sentinel(shape.value(text, &mut plain)) => number,
            None if !is_missing() => return None,
            _ => f64::NAN,
        });
    }
    Some(ColumnCells::Numbers(numbers))
}

/// A column of cells as the file has them. Each different text is looked at once.
fn coded(lexed: &Lexed, column: usize, shape: &CsvShape) -> ColumnCells {
    let (mut coded, mut plain) = (Coded::with_capacity(lexed.rows()), String::new());
    let (mut known, mut missing) = (FxHashMap::<&str, u32>::default(), None);
    let sentinels = shape.sentinels(column);
    for row in 0..lexed.rows() {
        let text = lexed.cell(row, column);
        let code = *known.entry(text).or_insert_with(|| match shape.value(text, &mut plain) {
            value if value == Value::Missing || sentinels.is_some_and(|own| own.has(value)) => {
                *missing.get_or_insert_with(|| coded.add(Value::Missing))
            }
            value => coded.add(value),
        });
        coded.codes.push(code);
    }
    ColumnCells::Coded(coded)
}
