//! How the text of a table becomes cells.

use serde::{Deserialize, Serialize};

use crate::data::table::na_values::NaValues;
use crate::data::table::value::Value;

/// The words that pandas reads as a missing value.
const MISSING: [&str; 18] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan",
];

/// How the text of a table becomes cells.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialect {
    /// CSV: between cells; left out: the one of `,` `;` tab and `|` that the header has most of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// CSV: the decimal point of numbers, where it is another character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<char>,
    /// CSV: the separator of thousands in numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thousands: Option<char>,
    /// Further words for a missing value.
    #[serde(skip_serializing_if = "NaValues::is_empty")]
    pub na_values: NaValues,
    /// Whether text is kept that pandas reads as a missing value.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep_na: bool,
    /// The columns whose cells are copied and not used: `na_values` are none of theirs.
    #[serde(skip)]
    pub copied_columns: Vec<String>,
    /// Rows with a missing value in any of these columns are left out, as if the file did not have them.
    #[serde(skip)]
    pub required_columns: Vec<String>,
    /// The columns whose cells are text, whatever they look like: categories and classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text_columns: Vec<String>,
}

impl Dialect {
    /// Whether a cell's text stands for a missing value in every table.
    pub(super) fn is_missing(&self, text: &str) -> bool {
        if self.keep_na {
            return text.is_empty();
        }
        // No word for it is longer than these.
        text.len() <= 8 && (MISSING.contains(&text) || text == "null")
    }

    /// The words that stand for a missing value in every table, the empty text among them.
    pub(crate) fn known_words(&self) -> impl Iterator<Item = &'static str> {
        let known = if self.keep_na { &MISSING[..1] } else { &MISSING[..] };
        known.iter().copied().chain(["null"].into_iter().filter(|_| !self.keep_na))
    }

    /// The form of numbers, where it is not the usual one.
    pub(in crate::data::table) fn number_form(&self) -> Option<NumberForm> {
        let (decimal, thousands) = (self.decimal.unwrap_or('.'), self.thousands);
        (decimal != '.' || thousands.is_some()).then_some(NumberForm { decimal, thousands })
    }
}

/// How numbers are written, as the options `decimal` and `thousands` of pandas' `read_csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data::table) struct NumberForm {
    pub(in crate::data::table) decimal: char,
    pub(in crate::data::table) thousands: Option<char>,
}

impl NumberForm {
    /// A cell with the number that it is in this form.
    pub(in crate::data::table) fn cell<'a>(self, text: &'a str, plain: &mut String) -> Value<'a> {
        // No number begins otherwise, and `.5` is none where the decimal point is a comma.
        if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c) || c == self.decimal) {
            return Value::Text(text);
        }
        let number = if self.plain(text, plain) { plain.parse().unwrap_or(f64::NAN) } else { f64::NAN };
        Value::Written(text, number)
    }

    /// Writes the number in the usual form; false where the text is not of this form. Groups have two or three digits,
    /// the last one three, so that `01.02.2024` is a date and no number.
    fn plain(self, text: &str, plain: &mut String) -> bool {
        plain.clear();
        let (whole, rest) = match text.find([self.decimal, 'e', 'E']) {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        match self.thousands {
            Some(separator) => {
                let mut groups = whole.split(separator).peekable();
                let mut first = true;
                while let Some(group) = groups.next() {
                    let last = groups.peek().is_none();
                    let fits = first || group.len() == 3 || (group.len() == 2 && !last);
                    if !fits || (group.is_empty() && !last) {
                        return false;
                    }
                    first = false;
                    plain.push_str(group);
                }
            }
            None => plain.push_str(whole),
        }
        let before = plain.len();
        if plain.contains('.') {
            return false;
        }
        match rest.strip_prefix(self.decimal) {
            Some(fraction) => {
                plain.push('.');
                plain.push_str(fraction);
            }
            None => plain.push_str(rest),
        }
        !plain[before..].trim_start_matches('.').contains('.')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(form: NumberForm, text: &str) -> Option<f64> {
        form.cell(text, &mut String::new()).number()
    }

    #[test]
    fn numbers_are_read_as_pandas_reads_them() {
        let german = NumberForm { decimal: ',', thousands: Some('.') };
        for (text, expected) in [
            ("1.234,5", 1234.5),
            ("-1.234.567", -1_234_567.0),
            ("1", 1.0),
            (",5", 0.5),
            ("1e3", 1000.0),
            ("1.000,25e-2", 10.0025),
        ] {
            assert_eq!(number(german, text), Some(expected), "{text}");
        }
        let comma = NumberForm { decimal: ',', thousands: None };
        assert_eq!(number(comma, "1,5"), Some(1.5));
        // pandas leaves both as text.
        assert_eq!(number(comma, "1.5"), None);
        assert_eq!(number(comma, ".5"), None);
        assert_eq!(number(comma, "1,5.2"), None);
        let english = NumberForm { decimal: '.', thousands: Some(',') };
        assert_eq!(number(english, "12,345.67"), Some(12345.67));
        assert_eq!(number(english, "12,34,567"), Some(1_234_567.0));
    }

    #[test]
    fn what_is_not_grouped_by_thousands_is_no_number() {
        let german = NumberForm { decimal: ',', thousands: Some('.') };
        for text in ["01.02.2024", "1.5", "1..234", "1.234.", "red", "1,2,3", "-", ""] {
            assert_eq!(number(german, text), None, "{text}");
        }
    }
}
