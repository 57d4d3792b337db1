//! How cells are read, as Python.

use std::fmt::Write;

use super::text::{list, number, quoted};
use crate::data::Preprocessing;
use crate::data::table::dates::DateForm;

/// What helps with columns.
const COLUMNS: &str = include_str!("columns.py");

/// A number with marks of the file's own.
const NUMBER: &str = include_str!("number.py");

/// The functions that read columns, and what they need.
pub(super) fn functions(preprocessing: &Preprocessing) -> String {
    let missing = preprocessing.missing_cells();
    let mut constants = format!("MISSING = {}\n", list(missing.words.iter().map(|word| quoted(word))));
    let mut columns = COLUMNS.to_owned();
    for (name, values, also, about) in [
        ("MISSING_NUMBERS", missing.numbers.clone(), "", "numbers that stand for a missing cell"),
        // In other forms a date is missing where it is one of the words.
        (
            "MISSING_DATES",
            missing.dates(DateForm::Iso),
            " & (form == \"yyyy-mm-dd\")",
            "such days since 1970-01-01",
        ),
    ] {
        let mut returned = "values".to_owned();
        if !values.is_empty() {
            let values = list(values.iter().map(|value| number(*value)));
            let _ = writeln!(constants, "{name} = {values}  # {about}");
            returned = format!("np.where(np.isin(values, {name}){also}, np.nan, values)");
        }
        columns = columns.replace(&format!("values  # {name}"), &returned);
    }
    let Some(pattern) = pattern(preprocessing) else { return format!("{constants}\n\n{columns}") };
    let _ = writeln!(
        constants,
        "NUMBER = re.compile({})  # its whole part, fraction and exponent",
        quoted(&pattern)
    );
    format!("{constants}\n\n{NUMBER}\n\n{}", columns.replace("float(cell)", "number(cell)"))
}

/// What is imported for them.
pub(super) fn imports(preprocessing: &Preprocessing) -> &'static str {
    if pattern(preprocessing).is_some() { "import re\n" } else { "" }
}

/// The regular expression of numbers where `data.decimal` or `data.thousands` sets their marks. Groups have two or three
/// digits, the last one three.
fn pattern(preprocessing: &Preprocessing) -> Option<String> {
    let dialect = preprocessing.dialect()?;
    let (decimal, thousands) = (dialect.decimal.unwrap_or('.'), dialect.thousands);
    if decimal == '.' && thousands.is_none() {
        return None;
    }
    let groups = thousands.map_or_else(String::new, |mark| {
        let mark = escaped(mark);
        format!("(?:(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}})?")
    });
    Some(format!("([+-]?[0-9]*{groups})(?:{}([0-9]*))?([eE][+-]?[0-9]+)?", escaped(decimal)))
}

/// A character that stands for itself in a regular expression.
fn escaped(mark: char) -> String {
    if r".^$*+?()[]{}\|".contains(mark) { format!("\\{mark}") } else { mark.to_string() }
}
