//! The config of a table.

use toml::Value;

use super::advice::{doubts, skewed};
use super::document::Document;
use super::leak::describe_leak;
use super::recipe::Recipe;
use super::request::SuggestRequest;
use super::target::TargetKind;
use crate::data::profile::{CellReading, ColumnProfile, Leak, NameCount, SplitShares, TableProfile};
use crate::data::split::Part;
use crate::data::table::ColumnKind;
use crate::data::table::read::{Format, quoted};
use crate::error::{Error, Result};
use crate::names::{counted, first_few, first_few_by};

/// The most columns that are listed one by one.
const MOST_LISTED: usize = 100;
/// The rows above which smaller shares are held out.
const MANY: u64 = 100_000;

/// The config for a table whose targets are of this kind.
pub(super) fn config(
    request: &SuggestRequest<'_>,
    profile: &TableProfile,
    kind: &TargetKind,
    leaks: &[Leak],
) -> Result<String> {
    let more = if profile.is_whole { "" } else { " or more" };
    let what =
        format!("a table of {} columns and {}{more}", profile.columns.len(), counted(profile.rows, "row"));
    let mut document = request.begin(&what);
    let name = request.name();
    // A column that gives the split leaves no folds to deal.
    let folds = match profile.split_column {
        None => format!(", and descent train {name} --folds 5 says how much the result depends on the split"),
        Some(_) => String::new(),
    };
    document
        .note(&format!("descent train {name} trains it, descent predict RUN --input FILE predicts{folds}."));
    document.set("seed", 1, "decides everything random: weights, order, splits");
    document.section("data");
    document.set("name", format_name(profile.format), "");
    document.set("path", request.path()?, "relative to this file");
    document.set("target", targets(request.targets), &describe(kind));
    let shares = shares(profile.rows);
    splits(&mut document, profile, shares);
    preprocessing(&mut document, profile, request.targets, kind);
    doubts(&mut document, profile, request.targets, kind);
    for leak in leaks {
        document.note(&format!("A leak? The {}.", describe_leak(leak)));
    }
    columns(&mut document, profile, request.targets);
    let is_number = |column: &&ColumnProfile| {
        let is_feature = !request.targets.contains(&column.name);
        is_feature && matches!(column.kind, ColumnKind::Number | ColumnKind::Date)
    };
    let numbers = profile.columns.iter().filter(is_number).count();
    Recipe { rows: trained_rows(profile, shares), kind, numbers }.write(&mut document);
    Ok(document.finish())
}

/// Checks that a column is left to predict from.
pub(super) fn require_feature(profile: &TableProfile, targets: &[String]) -> Result<()> {
    let is_other = |column: &&ColumnProfile| {
        !targets.contains(&column.name) && profile.split_column.as_ref() != Some(&column.name)
    };
    let others: Vec<&ColumnProfile> = profile.columns.iter().filter(is_other).collect();
    if others.iter().any(|column| column.kind != ColumnKind::Ignore) {
        return Ok(());
    }
    let why = others.iter().map(|column| format!("{} ({})", quoted(&column.name), column.why));
    let why = if others.is_empty() { String::new() } else { format!(": {}", first_few(why)) };
    let problem = format!("no column is usable as a feature{why}; add one that tells the target");
    Err(Error::data(&profile.path, problem))
}

/// Writes which rows are held out.
fn splits(document: &mut Document, profile: &TableProfile, shares: SplitShares) {
    match &profile.split_column {
        Some(column) => {
            let why = "it says train, validation or test in every row";
            document.set("split_column", column.as_str(), why);
        }
        None => document.set("test", shares.test, "held out, and looked at once, at the end"),
    }
    if profile.split_column.is_none() || !has_validation(profile) {
        document.set("validation", shares.validation, "held out to choose the best epoch");
    }
}

fn has_validation(profile: &TableProfile) -> bool {
    rows_of(profile, Part::Validation) > 0
}

/// The rows that the column of the split assigns to a part.
fn rows_of(profile: &TableProfile, part: Part) -> u64 {
    let column = profile.split_column.as_ref().and_then(|name| profile.column(name));
    let names = column.into_iter().flat_map(|column| column.names.iter().flatten());
    names.filter(|own| Part::named(&own.name) == Some(part)).map(|own| own.rows).sum()
}

/// About how many rows are trained on.
fn trained_rows(profile: &TableProfile, shares: SplitShares) -> u64 {
    if profile.split_column.is_none() {
        return shares.trained(profile.rows);
    }
    let validation = if has_validation(profile) { 0.0 } else { shares.validation };
    SplitShares { test: 0.0, validation }.trained(rows_of(profile, Part::Train))
}

pub(super) fn format_name(format: Format) -> &'static str {
    match format {
        Format::Csv => "csv",
        Format::Jsonl => "jsonl",
        Format::Parquet => "parquet",
    }
}

/// One name, or a list.
pub(super) fn targets(names: &[String]) -> Value {
    match names {
        [name] => name.as_str().into(),
        names => names.iter().map(|name| Value::from(name.as_str())).collect::<Vec<_>>().into(),
    }
}

/// The targets in words.
fn describe(kind: &TargetKind) -> String {
    let shown = |names: &[NameCount]| {
        let each = names.iter().map(|own| format!("{} {}", in_list(&own.name), own.rows));
        first_few_by(each.collect::<Vec<_>>(), ", ")
    };
    match kind {
        TargetKind::Classes(names) if names.len() == 2 => format!("two classes: {}", shown(names)),
        TargetKind::Classes(names) => format!("{} classes: {}", names.len(), shown(names)),
        TargetKind::Counts(numbers) => {
            format!("counts from {} to {}, mean {:.3}", numbers.min, numbers.max, numbers.mean)
        }
        TargetKind::Values => "numbers".to_owned(),
    }
}

fn shares(rows: u64) -> SplitShares {
    if rows > MANY {
        SplitShares { test: 0.1, validation: 0.1 }
    } else {
        SplitShares { test: 0.2, validation: 0.15 }
    }
}

/// Writes how cells are read and normalised.
fn preprocessing(document: &mut Document, profile: &TableProfile, targets: &[String], kind: &TargetKind) {
    reading(document, &profile.reading);
    document.set("normalize", "standard", "mean 0 and deviation 1 of the training rows");
    let is_feature = |column: &&ColumnProfile| {
        !targets.contains(&column.name) && column.kind != ColumnKind::Ignore && column.missing > 0
    };
    let missing: u64 = profile.columns.iter().filter(is_feature).map(|column| column.missing).sum();
    let why = if missing > 0 {
        format!(
            "{}: numbers get the mean and a flag, names one of their own",
            counted(missing, "missing cell")
        )
    } else {
        "no cell is missing here; rows to predict may lack some".to_owned()
    };
    document.set("missing", "category", &why);
    if kind.is_numeric() {
        document.set("clamp_output", true, "predictions stay in the range of the training rows");
    }
    if *kind == TargetKind::Values {
        skewed(document, profile, targets);
    }
}

/// Writes the options by which cells are read.
pub(super) fn reading(document: &mut Document, reading: &CellReading) {
    if let Some(decimal) = reading.decimal {
        document.set("decimal", decimal.to_string(), "the decimal point of the file's numbers");
    }
    if let Some(thousands) = reading.thousands {
        document.set("thousands", thousands.to_string(), "it groups the digits of the file's numbers");
    }
    let words: Vec<Value> = reading.na_values().iter().map(|word| Value::from(word.as_str())).collect();
    if !words.is_empty() {
        document.set("na_values", words, "stand among numbers or dates, and are taken for missing cells");
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
    let given: Vec<&&ColumnProfile> = features.iter().filter(|column| column.is_given).collect();
    if !given.is_empty() {
        document.section("data.columns");
        for column in given {
            document.set(&column.name, kind_name(column.kind), &column.why);
        }
    }
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
    let dates =
        || column.dates.as_ref().map_or_else(String::new, |[first, last]| format!("{first} to {last}"));
    let own = match (column.kind, &column.numbers) {
        (ColumnKind::Ignore, _) => column.why.clone(),
        (ColumnKind::Number, Some(numbers)) => {
            format!("{} to {}", rounded(numbers.min), rounded(numbers.max))
        }
        (ColumnKind::Date, _) => dates(),
        (ColumnKind::Category | ColumnKind::Embedding | ColumnKind::Onehot | ColumnKind::Boolean, _) => {
            let more = if column.is_given || column.why.is_empty() { "" } else { column.why.as_str() };
            let shown = first_few_by(names().collect::<Vec<_>>(), ", ");
            if more.is_empty() { shown } else { format!("{shown} ({more})") }
        }
        _ => String::new(),
    };
    format!("{own}{missing}")
}

/// A name as one of a list, where commas stand between the names.
fn in_list(name: &str) -> String {
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
