//! The config of a table.

use toml::Value;

use super::advice::{doubts, skewed};
use super::calendar;
use super::columns::{columns, in_list, reading};
use super::document::Document;
use super::leak::describe_leak;
use super::recipe::Recipe;
use super::request::SuggestRequest;
use super::target::{TargetKind, TargetlessRows};
use crate::data::profile::{ColumnProfile, DateRange, Leak, NameCount, SplitShares, TableProfile};
use crate::data::split::Part;
use crate::data::table::ColumnKind;
use crate::data::table::read::{Format, quoted};
use crate::error::{Error, Result};
use crate::names::{counted, first_few, first_few_by, with_verb};

/// The rows above which smaller shares are held out.
const MANY: u64 = 100_000;

/// The config for a table whose targets are of this kind.
pub(super) fn config(
    request: &SuggestRequest<'_>,
    profile: &TableProfile,
    kind: &TargetKind,
    leaks: &[Leak],
    without: &TargetlessRows,
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
    drop_missing_target(&mut document, profile, without);
    let shares = shares(profile.rows);
    splits(&mut document, profile, shares);
    preprocessing(&mut document, profile, request.targets, kind);
    doubts(&mut document, profile, request.targets, kind);
    for leak in leaks {
        document.note(&format!("A leak? The {}.", describe_leak(leak)));
    }
    columns(&mut document, profile, request.targets);
    let rows = trained_rows(profile, shares);
    Recipe { rows, kind, numbers: count_numbers(profile, request.targets) }.write(&mut document);
    Ok(document.finish())
}

/// The number of features that are numbers or dates.
fn count_numbers(profile: &TableProfile, targets: &[String]) -> usize {
    let is_number = |column: &&ColumnProfile| {
        let is_feature = !targets.contains(&column.name);
        is_feature && matches!(column.kind, ColumnKind::Number | ColumnKind::Date)
    };
    profile.columns.iter().filter(is_number).count()
}

/// Writes that the rows without a target are left out, if there are some.
fn drop_missing_target(document: &mut Document, profile: &TableProfile, without: &TargetlessRows) {
    if without.rows > 0 {
        let why = format!("{} no target", with_verb(without.rows, "row", ["has", "have"]));
        document.set("drop_missing_target", true, &why);
    } else if profile.given.drop_missing_target {
        document.set("drop_missing_target", true, "as given");
    }
    if let Some(doubt) = without.doubt() {
        document.note(&format!("The {doubt}."));
    }
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
    let problem = if others.is_empty() {
        "it has the target alone; add columns that tell it, or, where its rows are in the order of time, a column of their times"
            .to_owned()
    } else {
        let why = others.iter().map(|column| format!("{} ({})", quoted(&column.name), column.why));
        format!("no column is usable as a feature: {}; add one that tells the target", first_few(why))
    };
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
        document.set(
            "validation",
            shares.validation,
            "the fraction of the remaining rows that is held out to choose the best epoch",
        );
    }
    if profile.split_column.is_none() && profile.columns.iter().any(|column| column.kind == ColumnKind::Date)
    {
        document.note(
            "The split is random, so it does not measure performance on later dates. For that, add a column of train, \
             validation and test, and set split_column to its name.",
        );
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
    reading(document, profile);
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
    let dates = profile
        .columns
        .iter()
        .filter(|column| !targets.contains(&column.name) && column.kind == ColumnKind::Date);
    let dates: Vec<DateRange> = dates.filter_map(|column| column.dates).collect();
    let parts = calendar::of_dates(&dates);
    if !parts.is_empty() {
        document.set("calendar", parts, "each date's place in these, as sine and cosine, beside its number");
    }
    if kind.is_numeric() {
        document.set("clamp_output", true, "predictions stay in the range of the training rows");
    }
    if *kind == TargetKind::Values {
        skewed(document, profile, targets);
    }
}
