//! `na_values`: further words, numbers and dates that stand for a missing value, in every format.

use super::dialect::{Dialect, NumberForm};
use crate::data::table::dates::DateForm;
use crate::data::table::value::Value;

/// The words and numbers that stand for a missing cell in a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MissingCells {
    /// Words, the empty text among them.
    pub words: Vec<String>,
    /// Numbers, where it is a column of numbers.
    pub numbers: Vec<f64>,
}

impl MissingCells {
    /// The dates among the words, in days since 1970-01-01 UTC, for a column of this form.
    pub fn dates(&self, form: DateForm) -> Vec<f64> {
        self.words.iter().filter_map(|word| form.days(word.trim())).collect()
    }
}

impl Dialect {
    /// The words and numbers that stand for a missing cell in a column of a table of this dialect.
    pub(crate) fn missing_cells(&self, column: &str) -> MissingCells {
        let Sentinels { words, numbers, .. } = Sentinels::new(self.na_values.of(column), self.number_form());
        let mut all: Vec<String> = self.known_words().map(str::to_owned).collect();
        for word in words {
            if !all.contains(&word) {
                all.push(word);
            }
        }
        MissingCells { words: all, numbers }
    }
}

/// The values that stand for a missing one. A sentinel that reads as a number is compared as one, in the type of the
/// cell; in a column of text as pandas does, which knows `-999` as `-999.0` too.
#[derive(Debug)]
pub(super) struct Sentinels {
    words: Vec<String>,
    integers: Vec<i64>,
    numbers: Vec<f64>,
    dates: Vec<f64>,
}

impl Sentinels {
    /// Those of these words, whose numbers may be written as the file writes its own.
    pub(super) fn new(given: &[String], form: Option<NumberForm>) -> Self {
        let mut words = given.to_vec();
        let (mut integers, mut numbers) = (Vec::new(), Vec::new());
        for word in given {
            let word = word.trim();
            let in_form = form.and_then(|form| form.cell(word, &mut String::new()).number());
            let Some(number) = in_form.or_else(|| word.parse().ok()) else { continue };
            numbers.push(number);
            let integer = if in_form.is_some() { integer_of("", number) } else { integer_of(word, number) };
            if let Some(integer) = integer {
                integers.push(integer);
                words.extend([integer.to_string(), format!("{integer}.0")]);
            }
        }
        let dates = given.iter().filter_map(|word| DateForm::Iso.days(word.trim())).collect();
        Self { words, integers, numbers, dates }
    }

    pub(super) fn has(&self, value: Value<'_>, text_column: bool) -> bool {
        match value {
            Value::Missing | Value::Nested => false,
            Value::Integer(integer) => self.integers.contains(&integer),
            Value::Number(number) => self.numbers.contains(&number),
            #[allow(clippy::cast_possible_truncation, clippy::float_cmp, reason = "in the type of the cell")]
            Value::Single(number) => self.numbers.iter().any(|sentinel| *sentinel as f32 == number),
            // The nearest double of the decimal, as that of the sentinel is.
            Value::Decimal { .. } => value
                .name()
                .and_then(|name| name.parse().ok())
                .is_some_and(|number| self.numbers.contains(&number)),
            Value::Date(days) => self.dates.contains(&days),
            Value::Written(text, number) => {
                self.is_word(text) || (!text_column && (self.numbers.contains(&number) || self.is_date(text)))
            }
            Value::Text(text) => self.is_word(text) || (!text_column && self.is_number_or_date(text)),
        }
    }

    fn is_word(&self, text: &str) -> bool {
        self.words.iter().any(|word| word == text)
    }

    fn is_number_or_date(&self, text: &str) -> bool {
        if let Ok(integer) = text.parse::<i64>() {
            return self.integers.contains(&integer);
        }
        if let Ok(number) = text.parse::<f64>() {
            // An integer of more than 64 bits is one of the words, or none: a double cannot tell it from its neighbours.
            let large =
                number.abs() >= 9e15 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            return !large && self.numbers.contains(&number);
        }
        self.is_date(text)
    }

    fn is_date(&self, text: &str) -> bool {
        !self.dates.is_empty() && DateForm::Iso.days(text).is_some_and(|days| self.dates.contains(&days))
    }
}

/// The integer that a number is, if it is one that is exact.
#[allow(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
fn integer_of(text: &str, number: f64) -> Option<i64> {
    text.parse().ok().or_else(|| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentinels(words: &[&str]) -> Sentinels {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Sentinels::new(&words, None)
    }

    #[test]
    fn a_number_may_be_written_as_the_file_writes_its_own() {
        let words = ["-99,9", "-9.999", "-77"].map(str::to_owned);
        let own = Dialect { decimal: Some(','), thousands: Some('.'), ..Dialect::default() };
        let missing = Sentinels::new(&words, own.number_form());
        let form = own.number_form().unwrap();
        let has = |text: &str| missing.has(form.cell(text, &mut String::new()), false);
        for text in ["-99,90", "-99,9", "-9.999,00", "-9999,0", "-9.999", "-9999", "-77", "-77,0"] {
            assert!(has(text), "{text}");
        }
        assert!(!has("-99,91") && !has("-9,999") && !has("77"));
    }

    #[test]
    fn a_date_is_compared_as_a_date_whatever_marks_numbers_have() {
        for decimal in [None, Some(',')] {
            let own = Dialect { decimal, ..Dialect::default() };
            let missing = Sentinels::new(&["1900-01-01".to_owned()], own.number_form());
            let value = |text: &'static str| match own.number_form() {
                Some(form) => form.cell(text, &mut String::new()),
                None => Value::Text(text),
            };
            assert!(missing.has(value("1900-01-01 00:00"), false), "{decimal:?}");
            assert!(!missing.has(value("1900-01-02"), false), "{decimal:?}");
        }
    }

    #[test]
    fn a_number_is_compared_as_a_number_in_the_type_of_its_cell() {
        let missing = sentinels(&["-999", "-99.9", "x"]);
        for value in [
            Value::Integer(-999),
            Value::Number(-999.0),
            Value::Single(-99.9),
            Value::Decimal { digits: -9990, scale: 2 },
            Value::Decimal { digits: -99900, scale: 2 },
            Value::Text("-999"),
            Value::Text("-999.00"),
            Value::Text("-9.99e2"),
            Value::Text("x"),
            Value::Written("-999,0", -999.0),
        ] {
            assert!(missing.has(value, false), "{value:?}");
        }
        for value in [Value::Integer(999), Value::Number(-99.90001), Value::Text("true"), Value::Date(-999.0)]
        {
            assert!(!missing.has(value, false), "{value:?}");
        }
        let large = sentinels(&["9007199254740993"]);
        assert!(large.has(Value::Integer(9_007_199_254_740_993), false));
        assert!(!large.has(Value::Integer(9_007_199_254_740_992), false));
        assert!(!large.has(Value::Text("9007199254740992"), false));
    }

    #[test]
    fn a_column_of_text_is_compared_as_pandas_does_with_dtype_str() {
        // pandas.read_csv(…, na_values=["-999", "7"], dtype=str)
        let missing = sentinels(&["-999", "7"]);
        for (text, expected) in
            [("-999", true), ("-999.0", true), ("-999.00", false), ("7", true), ("007", false)]
        {
            assert_eq!(missing.has(Value::Text(text), true), expected, "{text}");
        }
    }

    #[test]
    fn a_date_is_compared_as_a_date() {
        let missing = sentinels(&["1900-01-01"]);
        let days = DateForm::Iso.days("1900-01-01").unwrap();
        assert!(missing.has(Value::Date(days), false) && !missing.has(Value::Date(0.0), false));
        assert!(missing.has(Value::Text("1900-01-01T00:00:00"), false));
    }
}
