//! A commented config for data that nobody has described yet: `descent init`.
//!
//! [`suggest`] looks at a table, a series, a folder of pictures or an `.npz` file, and writes the config that is most
//! likely to train well on it, with the reason of every choice as a comment.

mod advice;
mod arrays;
mod calendar;
mod columns;
mod document;
mod leak;
mod pictures;
mod recipe;
mod request;
mod series;
mod series_plan;
mod suggestion;
mod table;
mod target;

use std::path::Path;

use crate::data::picture_files::is_picture;
use crate::data::profile::{
    CellReading, ColumnProfile, GivenReading, MissingWord, PicturesProfile, Remedy, RepeatedTime,
    TableProfile, broken_dates, detect_series, has_idx_files, likely_target, repeated_time,
};
use crate::data::table::read::{Format, quoted};
use crate::error::{Error, Result};
use crate::names::{counted, first_few, with_verb};

use leak::describe_leak;
use series_plan::SeriesPlan;
use target::{TargetKind, TargetlessRows};

pub use request::{SuggestRequest, name_of};
pub use suggestion::Suggestion;

/// Whether a path is data and not a config.
pub fn is_data(path: &Path) -> bool {
    let is_folder = || path.is_dir() && (has_idx_files(path) || PicturesProfile::has_classes(path));
    Format::of(path).is_some() || is_archive(path) || is_folder()
}

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz"))
}

/// A config for the data.
///
/// # Errors
/// Data that is not there, is damaged or has too few rows; a table without a target, or with one that cannot be learnt.
pub fn suggest(request: &SuggestRequest<'_>) -> Result<Suggestion> {
    let SuggestRequest { data, targets, .. } = *request;
    std::fs::metadata(data).map_err(Error::io("open", data))?;
    if data.is_dir() || is_archive(data) {
        if *request.given != GivenReading::default() {
            let problem = "says how the cells of a table are read, and these are no cells";
            return Err(Error::Config(format!("--set: {problem}; leave it out")));
        }
        if let Some(target) = targets.first() {
            let (target, data) = (quoted(target), data.display());
            let what =
                if request.data.is_dir() { "pictures have their folders" } else { "arrays have `y_train`" };
            return Err(Error::Config(format!(
                "--target {target}: {what} as targets in {data}; leave it out"
            )));
        }
        if !data.is_dir() {
            return arrays::config(request);
        }
        return Ok(Suggestion { text: of_folder(request)?, notes: Vec::new(), warnings: Vec::new() });
    }
    let Some(format) = Format::of(data) else { return Err(Error::data(data, other_file(data))) };
    // What there is to warn of, the training says; here it is acted on.
    let quiet = tracing::subscriber::NoSubscriber::default();
    tracing::subscriber::with_default(quiet, || of_table(request, format))
}

fn of_folder(request: &SuggestRequest<'_>) -> Result<String> {
    let data = request.data;
    if data.join("config.toml").is_file() {
        let place = data.display();
        let problem = format!("this is the folder of a run; descent train --resume {place} continues it");
        return Err(Error::data(data, problem));
    }
    if has_idx_files(data) { pictures::idx_config(request) } else { pictures::config(request) }
}

fn of_table(request: &SuggestRequest<'_>, format: Format) -> Result<Suggestion> {
    let SuggestRequest { data, targets, .. } = *request;
    if let Some(twice) = targets.iter().enumerate().find(|(place, target)| targets[..*place].contains(target))
    {
        return Err(Error::Config(format!("--target {}: is given twice; name each column once", twice.1)));
    }
    // The rows without a target are counted first.
    let given = GivenReading { drop_missing_target: false, ..request.given.clone() };
    let profile = TableProfile::read(data, format, targets, &given)?;
    if targets.is_empty() {
        return Err(no_target(&profile));
    }
    let kind = TargetKind::of(&profile, targets)?;
    // Rows that a column assigns to splits are a table's: a series is cut at points in time.
    let may_be_series = kind.is_numeric() && profile.split_column.is_none();
    let order = if may_be_series { detect_series(&profile, targets) } else { None };
    if let Some(plan) = order.as_ref().and_then(SeriesPlan::of) {
        if request.given.drop_missing_target {
            let problem =
                "its rows are a series, whose windows leave rows without a target out; leave it out";
            return Err(Error::Config(format!("--set data.drop_missing_target: {problem}")));
        }
        target::require_windows(&profile, targets, &plan)?;
        let text = series::config(request, &profile, &plan)?;
        let warnings = doubts(&profile, targets, "set `data.missing = \"previous\"`");
        let warnings = warnings.chain(target::latest_missing(&profile, targets, &plan)).collect();
        return Ok(Suggestion { text, notes: notes(&profile.reading), warnings });
    }
    let gaps = match order {
        None if may_be_series => broken_time(&profile, targets)?,
        _ => None,
    };
    of_rows(request, profile, kind, gaps)
}

/// The config of a table whose rows stand for themselves; `gaps` is a doubt about times.
fn of_rows(
    request: &SuggestRequest<'_>,
    mut profile: TableProfile,
    mut kind: TargetKind,
    gaps: Option<String>,
) -> Result<Suggestion> {
    let targets = request.targets;
    target::require_most(&profile, targets)?;
    let mut without = TargetlessRows::of(&profile, targets)?;
    if without.rows > 0 || request.given.drop_missing_target {
        let (all, given) = (profile.rows, request.given.clone());
        let given = GivenReading { drop_missing_target: true, ..given };
        profile = TableProfile::read(&profile.path, profile.format, targets, &given)?;
        without.rows = all.saturating_sub(profile.rows).max(without.rows);
        kind = TargetKind::of(&profile, targets)?;
    }
    table::require_feature(&profile, targets)?;
    let leaks = match targets {
        [target] => profile.leaks(target, !kind.is_numeric())?,
        _ => Vec::new(),
    };
    let text = table::config(request, &profile, &kind, &leaks, &without)?;
    let left_out = (without.rows > 0).then(|| {
        let rows = with_verb(without.rows, "row", ["has", "have"]);
        format!("{rows} no target: `data.drop_missing_target` is set, which leaves such rows out")
    });
    let notes = notes(&profile.reading).into_iter().chain(left_out).collect();
    let warnings = doubts(&profile, targets, "set `data.drop_missing_target`")
        .chain(gaps)
        .chain(without.doubt())
        .chain(leaks.iter().map(describe_leak))
        .chain(advice::repeated_ids(&profile, targets))
        .collect();
    Ok(Suggestion { text, notes, warnings })
}

/// The error of a table without a target, which names a likely one.
fn no_target(profile: &TableProfile) -> Error {
    let likely =
        likely_target(profile).map_or(String::new(), |name| format!(", most likely {}", quoted(name)));
    let (path, listed) = (profile.path.display(), profile.listed());
    Error::Config(format!("--target is missing; name the column of {path} to predict{likely}; {listed}"))
}

/// The options by which cells are read, with what was seen.
fn notes(reading: &CellReading) -> Vec<String> {
    let CellReading { decimal, thousands, words, date_words, marks, sentinels, .. } = reading;
    let sentinels = sentinels.iter().filter(|own| own.is_missing()).map(|own| &own.text).collect();
    let decimal = decimal.map(|own| format!("numbers have the decimal point `{own}`: `data.decimal` is set"));
    let thousands =
        thousands.map(|own| format!("numbers group their digits by `{own}`: `data.thousands` is set"));
    let words = [
        (texts(words), "numbers"),
        (texts(date_words), "dates"),
        (texts(marks), "classes"),
        (sentinels, "numbers that all lie far away"),
    ];
    let words = words.into_iter().filter_map(|(words, others)| taken_for_missing(words, others));
    decimal.into_iter().chain(thousands).chain(words).collect()
}

/// Doubts about how the cells are read: infinite numbers, features that are numbers or dates in disguise, and numbers for missing
/// targets, for which `remedy` is.
fn doubts(profile: &TableProfile, targets: &[String], remedy: &str) -> impl Iterator<Item = String> {
    let features = profile.columns.iter().filter(|column| !targets.contains(&column.name));
    let doubt = |column: &ColumnProfile| {
        Some(format!("column {} {}", quoted(&column.name), column.in_disguise.as_ref()?))
    };
    let of_targets = profile.reading.sentinels.iter().filter(|own| own.remedy == Remedy::Target);
    let codes = of_targets.map(move |own| {
        format!(
            "target {}: {} in {} lies far from its other numbers, as a number for a missing one does; where it is one, name it \
             in `data.na_values` and {remedy}",
            quoted(&own.column),
            own.text,
            counted(own.rows, "row")
        )
    });
    infinities(&profile.reading).into_iter().chain(features.filter_map(doubt)).chain(codes)
}

/// A doubt about rows in the order of times, which would be a series if some of them had one of their own.
fn broken_time(profile: &TableProfile, targets: &[String]) -> Result<Option<String>> {
    if let Some(RepeatedTime { time, group, rows, lines: [first, second] }) = repeated_time(profile, targets)
    {
        let series = group.map_or(String::new(), |group| format!(" of one {}", quoted(&group)));
        return Ok(Some(format!(
            "the rows would be a series by column {}, but {} the time of another{series} (the first: lines {first} and {second}); they \
             are taken for a table, since a series has one row a time: remove these rows and run init again, or write hours \
             that come twice, when clocks are set back, with their UTC offsets",
            quoted(&time),
            with_verb(rows as u64, "row", ["has", "have"])
        )));
    }
    let Some(column) = broken_dates(profile)? else { return Ok(None) };
    let (rows, line) = (counted(column.missing, "row"), column.first_missing.unwrap_or_default());
    Ok(Some(format!(
        "the rows are in the order of column {}, which has no date in {rows} (the first is line {line}); they are taken for a \
         table, since every row of a series has a time",
        quoted(&column.name)
    )))
}

/// A doubt about infinite numbers, which more often come from a division by zero than stand for a missing value.
fn infinities(reading: &CellReading) -> Option<String> {
    taken_for_missing(texts(&reading.infinite), "numbers")
}

fn texts(words: &[MissingWord]) -> Vec<&String> {
    words.iter().map(|own| &own.text).collect()
}

/// The sentence about words for missing cells among others, if there are some; of several columns may have the same one.
fn taken_for_missing(mut words: Vec<&String>, others: &str) -> Option<String> {
    words.sort_unstable();
    words.dedup();
    let words: Vec<String> = words.into_iter().map(|word| quoted(word)).collect();
    let count = words.len();
    (!words.is_empty()).then(|| {
        let words = first_few(words);
        let taken = if count == 1 { "is taken for a missing cell" } else { "are taken for missing cells" };
        format!("{words} among {others} {taken}: `data.na_values` is set")
    })
}

/// The problem with a file that is of no known kind.
fn other_file(path: &Path) -> String {
    if path.extension().is_some_and(|extension| extension == "toml") {
        return format!("this is a config; descent train {} trains it", path.display());
    }
    if is_picture(path) {
        return "this is one picture; name the folder that holds a folder of pictures for each class"
            .to_owned();
    }
    "its extension is of no known format: tables are .csv, .tsv, .txt, .jsonl or .parquet, gzipped or not, arrays .npz, \
     and pictures a folder with a folder for each class"
        .to_owned()
}
