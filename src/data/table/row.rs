//! One row of a table, as its file has it.

/// A cell, before anyone knows what its column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Empty, null, or one of the words for it.
    Missing,
    /// A number, where the file says so.
    Number(f64),
    /// Days since 1970-01-01 UTC, where the file says so.
    Date(f64),
    /// All else.
    Text(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell {
    Missing,
    Number(f64),
    Date(f64),
    /// From where to where in the row's text.
    Text(usize, usize),
}

/// A row whose memory is used again for the next one.
#[derive(Debug, Clone, Default)]
pub struct Row {
    text: String,
    cells: Vec<Cell>,
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
        self.cells.resize(count, Cell::Missing);
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

    fn kept(&mut self, value: Value<'_>) -> Cell {
        match value {
            Value::Missing => Cell::Missing,
            Value::Number(number) => Cell::Number(number),
            Value::Date(days) => Cell::Date(days),
            Value::Text(text) => {
                let start = self.text.len();
                self.text.push_str(text);
                Cell::Text(start, self.text.len())
            }
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

    /// The cell of a column; one that is not there is missing.
    pub fn value(&self, column: usize) -> Value<'_> {
        match self.cells.get(column) {
            None | Some(Cell::Missing) => Value::Missing,
            Some(Cell::Number(number)) => Value::Number(*number),
            Some(Cell::Date(days)) => Value::Date(*days),
            Some(Cell::Text(start, end)) => Value::Text(&self.text[*start..*end]),
        }
    }
}

impl Value<'_> {
    /// The cell as a number, where it is one: `inf` and `nan` are.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Text(text) => text.parse().ok(),
            Self::Missing | Self::Date(_) => None,
        }
    }

    /// The cell as yes or no, where it is one of the words for it.
    pub fn boolean(self) -> Option<bool> {
        let Self::Text(text) = self else { return None };
        // Longer words are none of these.
        if text.len() > 5 {
            return None;
        }
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "t" | "y" => Some(true),
            "false" | "no" | "f" | "n" => Some(false),
            _ => None,
        }
    }

    /// The cell as days since 1970-01-01 UTC, where it is a date or a time in the order of ISO 8601.
    pub fn date(self) -> Option<f64> {
        match self {
            Self::Date(days) => Some(days),
            Self::Text(text) => date(text),
            Self::Missing | Self::Number(_) => None,
        }
    }

    /// The name of the cell as a category: equal numbers have equal names, however they are written.
    pub fn name(self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Number(number) => Some(number.to_string()),
            Self::Date(days) => Some(days.to_string()),
            Self::Text(text) => Some(match text.parse::<f64>() {
                // A code such as 007 is no number.
                Ok(number) if number.is_finite() && !is_code(text) => number.to_string(),
                _ => text.to_owned(),
            }),
        }
    }
}

fn is_code(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
}

/// 2024-03-01, 2024/03/01, 2024-03-01 12:30, 2024-03-01T12:30:00.5Z, 2024-03-01T12:30:00+02:00.
fn date(text: &str) -> Option<f64> {
    const SECONDS_A_DAY: f64 = 86_400.0;
    let bytes = text.as_bytes();
    let looks = bytes.len() >= 8
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && matches!(bytes[4], b'-' | b'/')
        && bytes[5].is_ascii_digit();
    if !looks {
        return None;
    }
    let dashed;
    let text = if bytes[4] == b'/' {
        dashed = text.replacen('/', "-", 2);
        dashed.as_str()
    } else {
        text
    };
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant.as_duration().as_secs_f64() / SECONDS_A_DAY);
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    let instant = jiff::tz::Offset::UTC.to_timestamp(local).ok()?;
    Some(instant.as_duration().as_secs_f64() / SECONDS_A_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_since_1970() {
        let days = |text| Value::Text(text).date();
        assert_eq!(days("1970-01-02"), Some(1.0));
        assert_eq!(days("1970/01/02"), Some(1.0));
        assert_eq!(days("1969-12-31T12:00:00"), Some(-0.5));
        assert_eq!(days("2000-03-01 06:00"), Some(11_017.25));
        assert_eq!(days("1970-01-02T02:00:00+02:00"), Some(1.0));
        assert_eq!(days("1970-01-02T00:00:00Z"), Some(1.0));
        for no in ["1970", "19700102", "1970-13-01", "12.5", "monday", "1970-1", ""] {
            assert_eq!(days(no), None, "{no}");
        }
    }

    #[test]
    fn equal_numbers_have_one_name() {
        let name = |value: Value<'_>| value.name().unwrap();
        assert_eq!(name(Value::Text("1.0")), name(Value::Number(1.0)));
        assert_eq!(name(Value::Text("007")), "007");
        assert_eq!(name(Value::Text("0.5")), "0.5");
        assert_eq!(name(Value::Text("inf")), "inf");
        assert_eq!(name(Value::Text("red")), "red");
    }

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
