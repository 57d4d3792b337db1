//! The name of a cell among categories and classes.

use serde::{Deserialize, Serialize};

use crate::data::table::value::Value;

/// The rule by which a cell becomes the name of a category or a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameRule {
    /// A name is the text as the file writes it: `007`, `7` and `7.0` are three.
    #[default]
    Text,
    /// Equal numbers have one name, however they are written: the rule of version 0.1.0.
    Number,
}

impl NameRule {
    /// The name of a cell; none of a missing one.
    pub fn of(self, cell: Value<'_>) -> Option<String> {
        match (self, cell) {
            (Self::Text, _) => cell.name(),
            (Self::Number, Value::Date(days)) => Some(days.to_string()),
            (Self::Number, _) => match cell.number() {
                // A code such as 007 is no number.
                Some(number) if number.is_finite() && !cell.text().is_some_and(is_code) => {
                    Some(number.to_string())
                }
                _ => cell.name(),
            },
        }
    }
}

fn is_code(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_had_one_name_in_the_first_version() {
        let name = |value: Value<'_>| NameRule::Number.of(value).unwrap();
        for value in [Value::Text("1.0"), Value::Text("1"), Value::Number(1.0), Value::Integer(1)] {
            assert_eq!(name(value), "1");
        }
        assert_eq!(name(Value::Text("007")), "007");
        assert_eq!(name(Value::Text("0.5")), "0.5");
        assert_eq!(name(Value::Text("inf")), "inf");
        assert_eq!(name(Value::Text("red")), "red");
    }
}
