//! One row of a table, as its file has it.

use super::value::Value;

#[derive(Debug, Clone, Copy, PartialEq)]
enum StoredCell {
    /// A value without text.
    Plain(Value<'static>),
    /// From where to where in the row's text.
    Text(usize, usize),
    /// The same, and the number that it is.
    Written(usize, usize, f64),
}

/// The cells of a row, wherever they are kept.
pub trait Cells {
    /// The cell of a column; one that is not there is missing.
    fn value(&self, column: usize) -> Value<'_>;

    /// The line that the row begins on, or its number where the file has no lines; from 1.
    fn line(&self) -> u64;

    /// The cell of a column that has nothing but numbers, where it is kept so; NaN where it is missing.
    fn number(&self, _column: usize) -> Option<f64> {
        None
    }

    /// The place of the cell of a column among the different ones of its batch, where it is kept so.
    fn code(&self, _column: usize) -> Option<usize> {
        None
    }
}

/// A row whose memory is used again for the next one.
#[derive(Debug, Clone, Default)]
pub struct Row {
    text: String,
    cells: Vec<StoredCell>,
    /// The line that it begins on, or its number where the file has no lines; from 1.
    pub line: u64,
}

impl Row {
    /// Forgets all cells.
    pub fn clear(&mut self) {
        self.text.clear();
        self.cells.clear();
    }

    /// Makes all of `count` cells missing.
    pub fn reset(&mut self, count: usize) {
        self.clear();
        self.cells.resize(count, StoredCell::Plain(Value::Missing));
    }

    /// Adds a cell.
    pub fn push(&mut self, value: Value<'_>) {
        let cell = self.kept(value);
        self.cells.push(cell);
    }

    /// Replaces a cell; one that is not there is left out.
    pub fn set(&mut self, column: usize, value: Value<'_>) {
        let cell = self.kept(value);
        if let Some(place) = self.cells.get_mut(column) {
            *place = cell;
        }
    }

    fn kept(&mut self, value: Value<'_>) -> StoredCell {
        let start = self.text.len();
        match value {
            Value::Text(text) => {
                self.text.push_str(text);
                StoredCell::Text(start, self.text.len())
            }
            Value::Written(text, number) => {
                self.text.push_str(text);
                StoredCell::Written(start, self.text.len(), number)
            }
            Value::Missing => StoredCell::Plain(Value::Missing),
            Value::Nested => StoredCell::Plain(Value::Nested),
            Value::Number(number) => StoredCell::Plain(Value::Number(number)),
            Value::Single(number) => StoredCell::Plain(Value::Single(number)),
            Value::Integer(number) => StoredCell::Plain(Value::Integer(number)),
            Value::Decimal { digits, scale } => StoredCell::Plain(Value::Decimal { digits, scale }),
            Value::Date(days) => StoredCell::Plain(Value::Date(days)),
        }
    }

    /// The number of cells.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// About the bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.cells.len() * size_of::<StoredCell>()
    }

    /// The cell of a column; one that is not there is missing.
    pub fn value(&self, column: usize) -> Value<'_> {
        match self.cells.get(column) {
            None => Value::Missing,
            Some(StoredCell::Plain(value)) => *value,
            Some(StoredCell::Text(start, end)) => Value::Text(&self.text[*start..*end]),
            Some(StoredCell::Written(start, end, number)) => {
                Value::Written(&self.text[*start..*end], *number)
            }
        }
    }
}

impl Cells for Row {
    fn value(&self, column: usize) -> Value<'_> {
        Row::value(self, column)
    }

    fn line(&self) -> u64 {
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_its_cells_back() {
        let mut row = Row::default();
        row.reset(3);
        row.set(2, Value::Text("x"));
        row.set(0, Value::Text("yz"));
        row.set(7, Value::Text("nowhere"));
        assert_eq!(row.value(0), Value::Text("yz"));
        assert_eq!((row.value(1), row.value(2)), (Value::Missing, Value::Text("x")));
        assert_eq!(row.value(9), Value::Missing);
    }
}
