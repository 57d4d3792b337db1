//! A cell of a table, and its value as a number, a truth value, a date or a name.

use serde::{Deserialize, Serialize};

use super::dates::{self, DateForm};

/// The words for yes and no, in any case.
const YES: [&str; 4] = ["true", "yes", "t", "y"];
const NO: [&str; 4] = ["false", "no", "f", "n"];

/// A cell, before anyone knows what its column holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Value<'a> {
    /// Empty, null, or one of the words for it.
    Missing,
    /// A number, in a file with types.
    Number(f64),
    /// A number of single precision.
    Single(f32),
    /// A whole number.
    Integer(i64),
    /// The decimal `digits / 10^scale`.
    Decimal {
        /// All digits, those behind the point too.
        digits: i64,
        /// How many of them are behind the point.
        scale: u8,
    },
    /// Days since 1970-01-01 UTC, in a file with types.
    Date(f64),
    /// A list, an object or bytes: no feature.
    Nested,
    /// A number in a form of the file's own, such as `1.234,5`, and its value; NaN if it is no number in that form.
    Written(&'a str, f64),
    /// All else.
    Text(&'a str),
}

impl<'a> Value<'a> {
    /// The cell as a number, where it is one: `inf` and `nan` are.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(number),
            Self::Single(number) => Some(f64::from(number)),
            #[allow(clippy::cast_precision_loss, reason = "a feature is a floating-point number")]
            Self::Integer(number) => Some(number as f64),
            #[allow(clippy::cast_precision_loss, reason = "a feature is a floating-point number")]
            Self::Decimal { digits, scale } => Some(digits as f64 * 10f64.powi(-i32::from(scale))),
            Self::Written(_, number) => (!number.is_nan()).then_some(number),
            Self::Missing | Self::Date(_) | Self::Nested => None,
        }
    }

    /// The cell as the file writes it, where it is text.
    pub(crate) fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Written(text, _) => Some(text),
            _ => None,
        }
    }

    /// The cell as yes or no, where it is one of the words for it.
    pub fn boolean(self) -> Option<bool> {
        let Self::Text(text) = self else { return None };
        let is = |word: &&str| text.eq_ignore_ascii_case(word);
        match text.len() {
            // Longer words are none of these.
            1..=5 if YES.iter().any(is) => Some(true),
            1..=5 if NO.iter().any(is) => Some(false),
            _ => None,
        }
    }

    /// The cell as days since 1970-01-01 UTC, where it is a date or a time of this form.
    pub fn date(self, form: DateForm) -> Option<f64> {
        match self {
            Self::Date(days) => Some(days),
            other => form.days(other.text()?),
        }
    }

    /// The name of the cell as a category or a class: its text as the file writes it. A number of a binary format has the
    /// text that Python's `str` gives it.
    pub fn name(self) -> Option<String> {
        Some(match self {
            Self::Missing | Self::Nested => return None,
            Self::Text(text) | Self::Written(text, _) => text.to_owned(),
            Self::Number(number) => python(format!("{number:?}")),
            Self::Single(number) => python(format!("{number:?}")),
            Self::Integer(number) => number.to_string(),
            Self::Decimal { digits, scale } => decimal(i128::from(digits), scale),
            Self::Date(days) => dates::written(days),
        })
    }
}

/// The text of a float as Python writes it: `1e+16`, `1e-05`.
fn python(text: String) -> String {
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// `digits / 10^scale` as text, with all `scale` digits behind the point.
pub(super) fn decimal(digits: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let sign = if digits < 0 { "-" } else { "" };
    let text = format!("{:0>width$}", digits.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = text.split_at(text.len() - scale);
    let point = if scale > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_text_as_written() {
        let name = |value: Value<'_>| value.name().unwrap();
        for text in ["007", "1", "1.0", "0.50", "9007199254740993", "inf", "red", "+1"] {
            assert_eq!(name(Value::Text(text)), text);
        }
        assert_eq!(name(Value::Integer(9_007_199_254_740_993)), "9007199254740993");
        assert_eq!(name(Value::Written("1.234,5", 1234.5)), "1.234,5");
    }

    #[test]
    fn numbers_are_named_as_python_writes_them() {
        let name = |value: Value<'_>| value.name().unwrap();
        // str(1.0), str(0.1), str(1e16), str(1e-05), str(123456789012345.6)
        for (number, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1e-5, "1e-05"),
            (-2.5, "-2.5"),
            (123_456_789_012_345.6, "123456789012345.6"),
        ] {
            assert_eq!(name(Value::Number(number)), text);
        }
        // str(numpy.float32(0.1))
        assert_eq!(name(Value::Single(0.1)), "0.1");
        // str(decimal.Decimal("1.10")), and so on
        for (digits, scale, text) in [(110, 2, "1.10"), (-5, 2, "-0.05"), (7, 0, "7"), (0, 1, "0.0")] {
            assert_eq!(name(Value::Decimal { digits, scale }), text);
        }
        assert_eq!(name(Value::Date(19_681.0)), "2023-11-20");
    }
}
