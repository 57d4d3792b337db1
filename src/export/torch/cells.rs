//! How cells are read, as Python.

use std::fmt::Write;

use super::text::{list, number, quoted};
use crate::data::Preprocessing;
use crate::data::table::dates::DateForm;
use crate::data::table::read::{Dialect, MissingCells};

/// What helps with columns.
const COLUMNS: &str = include_str!("columns.py");

/// A number with marks of the file's own.
const NUMBER: &str = include_str!("number.py");

/// The functions that read columns, and what they need.
pub(super) fn functions(preprocessing: &Preprocessing) -> String {
    let default = Dialect::default();
    let (mut constants, columns) = missing(preprocessing.dialect().unwrap_or(&default));
    let Some(pattern) = pattern(preprocessing) else { return format!("{constants}\n\n{columns}") };
    let _ = writeln!(
        constants,
        "NUMBER = re.compile({})  # its whole part, fraction and exponent",
        quoted(&pattern)
    );
    format!("{constants}\n\n{NUMBER}\n\n{}", columns.replace("float(cell)", "number(cell)"))
}

/// The constants of what stands for a missing cell, and the functions that read columns without it.
fn missing(dialect: &Dialect) -> (String, String) {
    let (mut constants, mut columns) = missing_words(dialect);
    let numbers = |values: Vec<f64>| values.into_iter().map(number).collect();
    let days = literal(dialect, |cells| numbers(cells.dates(DateForm::Iso)));
    for (name, values, also, about) in [
        (
            "MISSING_NUMBERS",
            literal(dialect, |cells| numbers(cells.numbers.clone())),
            "",
            "numbers that stand for a missing cell",
        ),
        // In other forms a date is missing where it is one of the words.
        ("MISSING_DATES", days, " & (form == \"yyyy-mm-dd\")", "such days since 1970-01-01"),
    ] {
        let mut returned = "values".to_owned();
        if let Some(values) = values {
            let _ = writeln!(constants, "{name} = {values}  # {about}");
            let own = looked_up(name, dialect);
            returned = format!("np.where(np.isin(values, {own}){also}, np.nan, values)");
        }
        columns = columns.replace(&format!("values  # {name}"), &returned);
    }
    (constants, columns)
}

/// The constants of the words for a missing cell, and the functions that read columns without these words.
fn missing_words(dialect: &Dialect) -> (String, String) {
    let quoted_words = |words: &[&str]| -> Vec<String> { words.iter().map(|word| quoted(word)).collect() };
    let own = |cells: &MissingCells, known: &[&str]| {
        let words: Vec<&str> = cells.words.iter().map(String::as_str).collect();
        quoted_words(&words.into_iter().filter(|word| !known.contains(word)).collect::<Vec<_>>())
    };
    if !dialect.na_values.is_by_column() {
        let words = literal(dialect, |cells| own(cells, &[])).unwrap_or_default();
        return (format!("MISSING = {words}\n"), COLUMNS.to_owned());
    }
    let known: Vec<&str> = dialect.known_words().collect();
    let constant = format!("MISSING = {}\n", list(quoted_words(&known)));
    match literal(dialect, |cells| own(cells, &known)) {
        Some(words) => {
            let lookup = format!("cell in MISSING or cell in {}", looked_up("MISSING_WORDS", dialect));
            let constants =
                format!("{constant}MISSING_WORDS = {words}  # further words for a missing cell, by column\n");
            (constants, COLUMNS.replace("cell in MISSING", &lookup))
        }
        None => (constant, COLUMNS.to_owned()),
    }
}

/// A list of what stands for a missing cell in all columns, or a dict of such lists by the columns that have their own; nothing
/// where no column has any.
fn literal(dialect: &Dialect, items: impl Fn(&MissingCells) -> Vec<String>) -> Option<String> {
    let of = |column: &str| {
        let items = items(&dialect.missing_cells(column));
        (!items.is_empty()).then(|| list(items))
    };
    if !dialect.na_values.is_by_column() {
        return of("");
    }
    let columns = dialect.na_values.columns();
    let columns: Vec<String> =
        columns.filter_map(|name| Some(format!("{}: {}", quoted(name), of(name)?))).collect();
    (!columns.is_empty()).then(|| format!("{{{}}}", columns.join(", ")))
}

/// What a constant of [`literal`] has for `column`.
fn looked_up(name: &str, dialect: &Dialect) -> String {
    if dialect.na_values.is_by_column() { format!("{name}.get(column.name, [])") } else { name.to_owned() }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::NaValues;

    fn dialect(na_values: &str) -> Dialect {
        toml::from_str(&format!("na_values = {na_values}")).unwrap()
    }

    #[test]
    fn what_is_missing_in_all_columns_is_a_list_and_in_some_a_dict() {
        let (constants, columns) = missing(&dialect("['-999', '?']"));
        assert!(
            constants.contains("\"null\", \"-999\", \"?\", \"-999.0\"]\nMISSING_NUMBERS = [-999.0]  #"),
            "{constants}"
        );
        assert!(columns.contains("[None if cell in MISSING else cell for"), "{columns}");
        assert!(columns.contains("np.isin(values, MISSING_NUMBERS), np.nan"), "{columns}");
        let (constants, columns) =
            missing(&dialect("{ 'a \"b\"' = ['-999'], day = ['1900-01-01', 'NA'], none = [] }"));
        for line in [
            "\"nan\", \"null\"]\n",
            "MISSING_WORDS = {\"a \\\"b\\\"\": [\"-999\", \"-999.0\"], \"day\": [\"1900-01-01\"]}  #",
            "MISSING_NUMBERS = {\"a \\\"b\\\"\": [-999.0]}  #",
            "MISSING_DATES = {\"day\": [-25567.0]}  #",
        ] {
            assert!(constants.contains(line), "{line}: {constants}");
        }
        for part in [
            "cell in MISSING or cell in MISSING_WORDS.get(column.name, [])",
            "MISSING_DATES.get(column.name, [])",
        ] {
            assert!(columns.contains(part), "{part}: {columns}");
        }
    }

    #[test]
    fn without_further_words_nothing_more_is_written() {
        for na_values in
            [NaValues::default(), NaValues::Columns([("a".to_owned(), vec!["NA".to_owned()])].into())]
        {
            let (constants, columns) = missing(&Dialect { na_values, ..Dialect::default() });
            assert!(constants.starts_with("MISSING = [") && constants.lines().count() == 1, "{constants}");
            assert!(columns.contains("    return values\n") && !columns.contains("MISSING_"), "{columns}");
        }
    }
}
