//! The options by which a table's cells are read, and the list of its columns with their kinds.

use toml::Value;

use super::document::Document;
use crate::data::profile::{CellReading, ColumnProfile, DateRange, GivenReading, KindSetting, TableProfile};
use crate::data::table::read::quoted;
use crate::data::table::{ColumnKind, NaValues};
use crate::names::{counted, first_few_by};

/// The most columns that are listed one by one.
const MOST_LISTED: usize = 100;

/// Writes the options by which cells are read.
pub(super) fn reading(document: &mut Document, profile: &TableProfile) {
    given(document, &profile.given);
    let reading = &profile.reading;
    if let Some(decimal) = reading.decimal {
        document.set("decimal", decimal.to_string(), "the decimal point of the file's numbers");
    }
    if let Some(thousands) = reading.thousands {
        document.set("thousands", thousands.to_string(), "it groups the digits of the file's numbers");
    }
    if let NaValues::All(words) = reading.na_values()
        && !words.is_empty()
    {
        document.set("na_values", words, "stand among numbers or dates, and are taken for missing cells");
    }
    for own in reading.all_words().filter(|own| own.is_elsewhere) {
        document.note(&format!(
            "{} in {} is taken for a missing cell there alone, since another column has it as a value.",
            quoted(&own.text),
            quoted(&own.column)
        ));
    }
    // The others have a warning, or the column's kind says it.
    for own in reading.sentinels.iter().filter(|own| own.is_missing()) {
        let here = if own.is_missing_here() {
            ", which has it for this column alone: another may have it as an amount"
        } else {
            ""
        };
        document.note(&format!(
            "{} in {} ({}) lies far from its other numbers, as numbers for a missing one do; where it is an amount, leave it out \
             of na_values{here}.",
            own.text,
            quoted(&own.column),
            counted(own.rows, "row")
        ));
    }
}

/// Writes the options that were given.
fn given(document: &mut Document, given: &GivenReading) {
    const WHY: &str = "as given";
    let marks = [("delimiter", given.delimiter), ("decimal", given.decimal), ("thousands", given.thousands)];
    for (key, mark) in marks.into_iter().filter_map(|(key, mark)| Some((key, mark?))) {
        document.set(key, mark.to_string(), WHY);
    }
    if given.keep_na {
        document.set("keep_na", true, WHY);
    }
    if let (false, Ok(words)) = (given.na_values.is_empty(), Value::try_from(&given.na_values)) {
        document.set("na_values", words, WHY);
    }
}

/// Lists the words for missing cells by column, where they are missing in their own columns alone.
fn na_values(document: &mut Document, reading: &CellReading) {
    let NaValues::Columns(columns) = reading.na_values() else { return };
    document.section("data.na_values");
    document.note(
        "These are taken for missing cells; those that are nowhere a value, in every column of numbers or dates.",
    );
    for (column, words) in columns {
        document.set(&column, words, "");
    }
}

/// Lists the columns with what they are taken for, and sets the kinds that training would not infer.
pub(super) fn columns(document: &mut Document, profile: &TableProfile, targets: &[String]) {
    let is_feature = |column: &&ColumnProfile| {
        !targets.contains(&column.name) && profile.split_column.as_ref() != Some(&column.name)
    };
    let features: Vec<&ColumnProfile> = profile.columns.iter().filter(is_feature).collect();
    document.blank();
    document.note(
        "The columns and what they are taken for; [data.columns] changes it: number, boolean, category,",
    );
    document.note("onehot, embedding, date, ignore.");
    let width = features.iter().map(|column| shortened(&column.name).chars().count()).max().unwrap_or(0);
    for column in features.iter().take(MOST_LISTED) {
        let (name, kind) = (shortened(&column.name), kind_name(column.kind));
        document.verbatim(&format!("{name:<width$}  {kind:<9}  {}", values(column)));
    }
    if features.len() > MOST_LISTED {
        document.verbatim(&format!("and {} more", features.len() - MOST_LISTED));
    }
    let given: Vec<&&ColumnProfile> =
        features.iter().filter(|column| column.setting != KindSetting::Inferred).collect();
    if !given.is_empty() {
        document.section("data.columns");
        for column in given {
            document.set(&column.name, kind_name(column.kind), &why(column));
        }
    }
    na_values(document, &profile.reading);
}

/// Why a column has the kind that is set.
fn why(column: &ColumnProfile) -> String {
    // No other kind is inferred while one is set.
    let until = if column.setting == KindSetting::SetUntilReadable { " (then remove this line)" } else { "" };
    format!("{}{until}", column.why)
}

fn kind_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Number => "number",
        ColumnKind::Boolean => "boolean",
        ColumnKind::Category => "category",
        ColumnKind::Onehot => "onehot",
        ColumnKind::Embedding => "embedding",
        ColumnKind::Date => "date",
        ColumnKind::Ignore => "ignore",
    }
}

/// The values of a column in words.
fn values(column: &ColumnProfile) -> String {
    let missing = match column.missing {
        0 => String::new(),
        missing => format!("; {}", counted(missing, "missing cell")),
    };
    let names = || column.names.iter().flatten().map(|own| in_list(&own.name));
    let dates = || {
        let range = column.dates.map(DateRange::written);
        range.map_or_else(String::new, |[first, last]| format!("{first} to {last}"))
    };
    let own = match (column.kind, &column.numbers) {
        (ColumnKind::Ignore, _) => column.why.clone(),
        (ColumnKind::Number, Some(numbers)) => {
            format!("{} to {}", rounded(numbers.min), rounded(numbers.max))
        }
        (ColumnKind::Date, _) => dates(),
        (ColumnKind::Category | ColumnKind::Embedding | ColumnKind::Onehot | ColumnKind::Boolean, _) => {
            let more = if column.setting != KindSetting::Inferred || column.why.is_empty() {
                ""
            } else {
                column.why.as_str()
            };
            let shown = first_few_by(names().collect::<Vec<_>>(), ", ");
            if more.is_empty() { shown } else { format!("{shown} ({more})") }
        }
        _ => String::new(),
    };
    format!("{own}{missing}")
}

/// A name as one of a list, where commas stand between the names.
pub(super) fn in_list(name: &str) -> String {
    let short = shortened(name);
    if short.contains(',') { quoted(&short) } else { short }
}

/// A number in few digits.
fn rounded(number: f64) -> String {
    let short = format!("{number:.4}");
    let short = short.trim_end_matches('0').trim_end_matches('.');
    if number.abs() >= 1e9 || (number != 0.0 && number.abs() < 1e-3) {
        format!("{number:.3e}")
    } else {
        short.to_owned()
    }
}

/// A name for a comment, not too long.
fn shortened(name: &str) -> String {
    const MOST: usize = 32;
    let cut: String = name.chars().take(MOST).collect();
    let more = if cut.len() < name.len() { "…" } else { "" };
    format!("{cut}{more}")
}
