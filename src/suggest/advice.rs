//! Advice in a table's config, on what may be meant otherwise than it is taken.

use toml::Value;

use super::document::Document;
use super::target::TargetKind;
use crate::data::profile::{ColumnProfile, NumberRange, TableProfile};
use crate::data::table::ColumnKind;
use crate::data::table::read::quoted;

/// Names of columns that often say how much a row counts.
const WEIGHTS: [&str; 9] = [
    "weight",
    "weights",
    "wt",
    "wts",
    "sample_weight",
    "sample_weights",
    "case_weight",
    "case_weights",
    "freq",
];

/// Names of columns whose whole numbers are codes.
const CODES: [&str; 9] =
    ["zip", "zipcode", "postcode", "postalcode", "plz", "fips", "county_fips", "naics", "phone"];

/// Says that a transformation may help where positive targets have a long tail.
pub(super) fn skewed(document: &mut Document, profile: &TableProfile, targets: &[String]) {
    /// The least largest value of a long tail, in means: of 10,000 exponentially distributed numbers it is about 10.
    const TAIL: f64 = 20.0;
    let ranges = || targets.iter().filter_map(|name| profile.column(name)?.numbers);
    if !ranges().all(|range| range.min >= 0.0) {
        return;
    }
    let longest = ranges().map(|range| range.max / range.mean).fold(0.0, f64::max);
    if longest > TAIL {
        document.note(&format!(
            "The largest target is {longest:.0} times the mean. Try target_transform = \"log1p\", which learns the logarithm of \
             1 + target; predictions and metrics stay in the target's units."
        ));
    }
}

/// Says what columns are taken for that may well be meant otherwise.
pub(super) fn doubts(document: &mut Document, profile: &TableProfile, targets: &[String], kind: &TargetKind) {
    let has_numbers = |name: &String| profile.column(name).is_some_and(|column| column.numbers.is_some());
    if let (TargetKind::Classes(names), [target]) = (kind, targets)
        && names.len() > 2
        && has_numbers(target)
    {
        document.note(
            "The target's numbers are taken for classes without an order. Where they are grades or ratings, try a model \
             of numbers: name = \"mse\" in [loss], clamp_output = true in [data], and no calibrate.",
        );
    }
    if let (TargetKind::Values, [target]) = (kind, targets)
        && let Some(column) = profile.column(target).filter(|column| column.has_few_whole_numbers())
    {
        let count = column.distinct().unwrap_or_default();
        document.note(&format!(
            "The target's {count} different whole numbers are taken for numbers, as grades and ratings are. Where they number \
             classes, write name = \"cross_entropy\" in [loss], and leave out clamp_output."
        ));
    }
    let is_label = |name: &String| profile.column(name).is_some_and(ColumnProfile::is_zero_or_one);
    if targets.len() > 1 && targets.iter().all(is_label) {
        document.note(
            "Each target is 0 or 1, and taken for numbers. Where they are labels, of which a row may have several, write \
             name = \"bce_with_logits\" in [loss], and leave out clamp_output: predictions then have the probability of each label beside them.",
        );
    }
    let is_feature = |column: &&ColumnProfile| {
        let has_role = targets.contains(&column.name) || profile.split_column.as_ref() == Some(&column.name);
        column.kind != ColumnKind::Ignore && !has_role
    };
    for column in profile.columns.iter().filter(is_feature) {
        if is_divided(column, profile) {
            repeated(document, column);
        }
        doubts_of(document, column);
    }
}

/// Sentences about columns of the rows' owners, some of whose rows are trained on and others tested on.
pub(super) fn repeated_ids(profile: &TableProfile, targets: &[String]) -> Vec<String> {
    let is_free = |column: &&ColumnProfile| {
        let is_used = column.kind != ColumnKind::Ignore && !targets.contains(&column.name);
        is_used && is_divided(column, profile)
    };
    let sentence = |column: &ColumnProfile| {
        format!(
            "column {} repeats: rows of the same one are trained on and tested on; group = {} in [data] holds out all rows of \
             one together",
            quoted(&column.name),
            Value::from(column.name.as_str())
        )
    };
    profile.columns.iter().filter(is_free).map(sentence).collect()
}

/// Whether rows of one of the column's owners are trained on and others tested on: no column says how rows are split.
fn is_divided(column: &ColumnProfile, profile: &TableProfile) -> bool {
    column.is_repeated_id() && profile.split_column.is_none()
}

/// Says that rows of one person, shop or machine are trained on and tested on alike.
fn repeated(document: &mut Document, column: &ColumnProfile) {
    let kind = if column.kind == ColumnKind::Number {
        " It is taken for a number; as a \"category\" in [data.columns] each is learnt by itself."
    } else {
        ""
    };
    document.note(&format!(
        "Column {} repeats: rows of the same one are trained on and tested on, so that the test says little about new \
         ones.{kind} To hold out all rows of one together, set",
        quoted(&column.name)
    ));
    document.verbatim(&format!("group = {}", Value::from(column.name.as_str())));
}

/// Says what a feature of numbers may well be instead: an identifier, a weight, a number of the row, a code.
fn doubts_of(document: &mut Document, column: &ColumnProfile) {
    let Some(numbers) = column.numbers else { return };
    let name = column.name.to_lowercase().replace(['-', ' ', '.'], "_");
    let shown = quoted(&column.name);
    if WEIGHTS.contains(&name.as_str()) && numbers.min >= 0.0 {
        document
            .note(&format!("Column {shown} is taken for a feature. If it says how much a row counts, set"));
        document.verbatim(&format!("weight = {}", Value::from(column.name.as_str())));
    }
    if column.kind != ColumnKind::Number || !numbers.are_whole {
        return;
    }
    if let Some(digits) = identifier_digits(column, numbers) {
        document.note(&format!(
            "Column {shown} has another number of {digits} digits in every row. If it is an identifier, which tells nothing, \
             set it to \"ignore\" in [data.columns]."
        ));
    } else if counts_rows(column, numbers) {
        document.note(&format!(
            "Column {shown} counts the rows from {:.0} to {:.0}. If it is no more than a number of the row, set it to \"ignore\" \
             in [data.columns].",
            numbers.min, numbers.max
        ));
    } else if CODES.contains(&name.as_str()) || name.ends_with("_code") {
        document.note(&format!(
            "Column {shown} is taken for a number. If it is a code, whose size means nothing, set it to \"category\" in \
             [data.columns]."
        ));
    }
}

/// Whether each row has another whole number, and all from 0 or 1 on occur.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn counts_rows(column: &ColumnProfile, NumberRange { min, max, .. }: NumberRange) -> bool {
    column.is_unique && min.abs() <= 1.0 && (max - min + 1.0 - column.present as f64).abs() < 0.5
}

/// The digits of numbers that look like identifiers: each is another one, and all have as many digits, five or more.
fn identifier_digits(column: &ColumnProfile, NumberRange { min, max, .. }: NumberRange) -> Option<usize> {
    /// Of fewer rows all numbers may well differ.
    const LEAST: u64 = 50;
    let digits = |number: f64| format!("{number:.0}").len();
    let differ = column.is_unique && column.present >= LEAST;
    (differ && min > 0.0 && digits(min) >= 5 && digits(min) == digits(max)).then(|| digits(min))
}
