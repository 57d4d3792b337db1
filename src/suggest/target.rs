//! The kind of a target: classes, counts or values.

use super::series_plan::SeriesPlan;
use crate::data::profile::{ColumnProfile, NameCount, NumberRange, TableProfile};
use crate::data::table::ColumnKind;
use crate::data::table::read::quoted;
use crate::error::{Error, Result};
use crate::names::{counted, first_few};

/// More different whole numbers than this are no classes.
const MOST_NUMBERED: usize = 20;
/// Fewer different whole numbers than this are classes even where a column follows their order, as the petals of irises do.
const LEAST_ORDERED: usize = 5;
/// More different texts than this are no classes.
const MOST_NAMED: usize = 1000;
/// The most different counts, and the largest mean of counts.
const MOST_COUNTS: usize = 300;
const LARGEST_COUNT: f64 = 50.0;
/// Fewer rows than this cannot be split.
const LEAST_ROWS: u64 = 10;

/// The kind of the targets.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TargetKind {
    /// Classes with their rows, the most frequent first.
    Classes(Vec<NameCount>),
    /// Counts of something: whole numbers from 0, most of them small.
    Counts(NumberRange),
    /// Numbers.
    Values,
}

impl TargetKind {
    /// The kind of these columns.
    ///
    /// # Errors
    /// A target that nothing can be learnt of.
    pub(super) fn of(profile: &TableProfile, targets: &[String]) -> Result<Self> {
        if profile.rows < LEAST_ROWS {
            let rows = counted(profile.rows, "row");
            let problem = format!(
                "the table has {rows}; some are to be trained on, some validated and some tested, which takes \
                 {LEAST_ROWS} at least"
            );
            return Err(Error::data(&profile.path, problem));
        }
        let columns: Vec<&ColumnProfile> = targets.iter().filter_map(|name| profile.column(name)).collect();
        for column in &columns {
            check(profile, column)?;
        }
        match columns.as_slice() {
            [column] => of_column(profile, column),
            several => {
                let text = several.iter().find(|column| column.numbers.is_none());
                text.map_or(Ok(Self::Values), |column| {
                    let problem = format!(
                        "target {}: several targets are numbers, and this one has text; name it alone",
                        quoted(&column.name)
                    );
                    Err(Error::data(&profile.path, problem))
                })
            }
        }
    }

    /// Whether the targets are numbers and no classes.
    pub(super) fn is_numeric(&self) -> bool {
        !matches!(self, Self::Classes(_))
    }
}

/// The target that is missing in most rows, if one is in any.
fn most_missing<'a>(profile: &'a TableProfile, targets: &[String]) -> Option<&'a ColumnProfile> {
    let columns = targets.iter().filter_map(|name| profile.column(name));
    columns.max_by_key(|column| column.missing).filter(|column| column.missing > 0)
}

/// The remedy where the latest rows have no target.
const LEAVE_LATEST_OUT: &str =
    "leave these rows, the latest, out of the file: `descent predict` forecasts the rows after the last";

/// A doubt about the latest rows of a series, which have no target: forecasts would begin after them.
pub(super) fn latest_missing(
    profile: &TableProfile,
    targets: &[String],
    plan: &SeriesPlan<'_>,
) -> Option<String> {
    let column = most_missing(profile, targets)?;
    plan.series.lacks_latest_targets().then(|| {
        let rows = counted(column.missing, "row");
        format!("target {}: it is missing in the latest {rows}; {LEAVE_LATEST_OUT}", quoted(&column.name))
    })
}

/// Checks that rows without a target leave windows: none predicts such a row.
pub(super) fn require_windows(
    profile: &TableProfile,
    targets: &[String],
    plan: &SeriesPlan<'_>,
) -> Result<()> {
    let Some(column) = most_missing(profile, targets) else { return Ok(()) };
    let SeriesPlan { series, rows, shares, max_gap, .. } = *plan;
    let crossed = Some(max_gap.unwrap_or_else(|| series.usual_gap()));
    let all = series.windows(shares, rows, crossed);
    let complete = series.complete_windows(shares, rows, crossed);
    let has_lost_all = all.iter().zip(complete).any(|(all, complete)| *all > 0 && complete == 0);
    if !has_lost_all && 2 * complete.iter().sum::<usize>() >= all.iter().sum() {
        return Ok(());
    }
    let (name, line) = (quoted(&column.name), column.first_missing.unwrap_or_default());
    let missing = counted(column.missing, "row");
    let remedy = if series.lacks_latest_targets() {
        LEAVE_LATEST_OUT
    } else {
        "fill them, as pandas' `interpolate` does"
    };
    let problem = format!(
        "target {name}: it is missing in {missing}, the first is line {line}; too few windows are left whose {} to predict all have \
         it: {remedy}",
        counted(rows.horizon as u64, "row")
    );
    Err(Error::data(&profile.path, problem))
}

/// Checks that the targets of a table are there in most rows: the others can be left out.
pub(super) fn require_most(profile: &TableProfile, targets: &[String]) -> Result<()> {
    let most = profile.rows / 2 / targets.len().max(1) as u64;
    targets
        .iter()
        .filter_map(|name| profile.column(name))
        .try_for_each(|column| require(profile, column, most))
}

/// The rows of a table that lack a target.
#[derive(Debug)]
pub(super) struct TargetlessRows {
    /// Their number; at least as many where there are several targets.
    pub(super) rows: u64,
    /// The words that are no target there, by the column of classes.
    words: Vec<(String, String)>,
}

impl TargetlessRows {
    /// The rows of a table without one of these targets.
    pub(super) fn of(profile: &TableProfile, targets: &[String]) -> Result<Self> {
        let (mut rows, mut words) = (0, Vec::new());
        for column in targets.iter().filter_map(|name| profile.column(name)) {
            rows = rows.max(column.missing);
            if column.missing > 0 && column.numbers.is_none() {
                let own = profile.known_words(&column.name)?.into_iter();
                words.extend(own.map(|word| (column.name.clone(), word)));
            }
        }
        Ok(Self { rows, words })
    }

    /// A doubt about words that may be classes.
    pub(super) fn doubt(&self) -> Option<String> {
        let (column, _) = self.words.first()?;
        let words = first_few(self.words.iter().map(|(_, word)| quoted(word)));
        Some(format!(
            "target {} has {words}, which is taken for a missing cell, as pandas does; where it is a class, set `data.keep_na = \
             true`",
            quoted(column)
        ))
    }
}

/// Checks that a target is missing in so many rows at most.
fn require(profile: &TableProfile, column: &ColumnProfile, most: u64) -> Result<()> {
    if column.missing <= most {
        return Ok(());
    }
    let (name, line) = (quoted(&column.name), column.first_missing.unwrap_or_default());
    let rows = counted(column.missing, "row");
    let problem = format!("target {name}: it is missing in {rows}, the first is line {line}; remove them");
    Err(Error::data(&profile.path, problem))
}

/// Checks what every target has to be: not the same in all rows.
fn check(profile: &TableProfile, column: &ColumnProfile) -> Result<()> {
    let fail = |problem: String| {
        Err(Error::data(&profile.path, format!("target {}: {problem}", quoted(&column.name))))
    };
    let numbers = column.numbers;
    if numbers.is_none() {
        require(profile, column, profile.rows / 2)?;
    }
    #[allow(clippy::float_cmp, reason = "the same number in every row")]
    let constant = numbers.is_some_and(|numbers| numbers.min == numbers.max) && !has_classes_as_text(column);
    if constant || column.distinct() == Some(1) {
        let value = column.names.iter().flatten().next().map_or("", |own| own.name.as_str());
        return fail(format!("all rows have {}; there is nothing to learn", quoted(value)));
    }
    if numbers.is_none() && column.kind == ColumnKind::Date {
        return fail("it has dates; a number of days from an event, or a class, can be predicted".to_owned());
    }
    let distinct = column.distinct().map_or(u64::MAX, |distinct| distinct as u64);
    let are_classes = distinct <= column.present / 2 && distinct <= MOST_NAMED as u64;
    if let (false, None, Some(problem)) = (are_classes, numbers, column.in_disguise.as_ref()) {
        return fail(format!("it {problem}"));
    }
    if numbers.is_none() && distinct == column.present {
        return fail(
            "every row has another text, so there are no classes; name a column whose values repeat"
                .to_owned(),
        );
    }
    if numbers.is_none() && !are_classes {
        let (names, rows) = (column.distinct(), counted(profile.rows, "row"));
        let names = names.map_or_else(|| "very many".to_owned(), |names| names.to_string());
        return fail(format!(
            "it has {names} different texts in {rows}, which are too many for classes; name another column, or merge some"
        ));
    }
    Ok(())
}

fn of_column(profile: &TableProfile, column: &ColumnProfile) -> Result<TargetKind> {
    let names = column.names.clone().unwrap_or_default();
    let Some(numbers) = column.numbers else { return Ok(TargetKind::Classes(names)) };
    if names.len() == 2 || has_classes_as_text(column) {
        return Ok(TargetKind::Classes(names));
    }
    if !numbers.are_whole {
        return Ok(TargetKind::Values);
    }
    if looks_like_counts(&numbers, &names) {
        return Ok(TargetKind::Counts(numbers));
    }
    if column.kind == ColumnKind::Category && 2 * names.len() as u64 <= column.present {
        // Codes such as 007.
        return Ok(TargetKind::Classes(names));
    }
    let is_ordered = || profile.is_ordered(&column.name);
    let are_classes = if are_class_numbers(&numbers, &names, profile.rows) {
        names.len() < LEAST_ORDERED || !is_ordered()?
    } else {
        are_codes(&numbers, &names, profile.rows) && !is_ordered()?
    };
    Ok(if are_classes { TargetKind::Classes(names) } else { TargetKind::Values })
}

/// Whether a column of text that looks like numbers names classes: `10`, `20` and `30`, or codes such as `007`. More
/// different ones are numbers that were written as text, as prices often are.
fn has_classes_as_text(column: &ColumnProfile) -> bool {
    let distinct = column.distinct().map_or(u64::MAX, |distinct| distinct as u64);
    let most = if column.kind == ColumnKind::Category { MOST_NAMED } else { MOST_NUMBERED };
    column.is_text && distinct <= most as u64 && 2 * distinct <= column.present
}

/// Whether whole numbers number classes: few, from 0 or 1 without a gap, each with a fair part of the rows.
#[allow(clippy::cast_precision_loss, reason = "counts of rows")]
fn are_class_numbers(numbers: &NumberRange, names: &[NameCount], rows: u64) -> bool {
    let count = names.len() as f64;
    let is_dense =
        (0.0..=1.0).contains(&numbers.min) && (numbers.max - numbers.min + 1.0 - count).abs() < 0.5;
    let least = names.iter().map(|own| own.rows).min().unwrap_or(0);
    (3..=MOST_NUMBERED).contains(&names.len()) && is_dense && least as f64 >= 0.1 * rows as f64 / count
}

/// Whether whole numbers may be codes: few with gaps between them, each with a fair part of the rows, and not as evenly apart
/// as 10, 20 and 30.
#[allow(clippy::cast_precision_loss, reason = "counts of rows")]
fn are_codes(numbers: &NumberRange, names: &[NameCount], rows: u64) -> bool {
    let mut values: Vec<f64> = names.iter().filter_map(|own| own.name.parse().ok()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let steps: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let are_even = steps.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.5);
    let least = names.iter().map(|own| own.rows).min().unwrap_or(0);
    let count = names.len() as f64;
    (3..=MOST_NUMBERED).contains(&values.len())
        && numbers.min >= 0.0
        && !are_even
        && least as f64 >= 0.1 * rows as f64 / count
}

/// Whether whole numbers count something: from 0 or 1 on, fewer and fewer rows the larger they are.
#[allow(clippy::cast_precision_loss, reason = "counts of rows")]
fn looks_like_counts(numbers: &NumberRange, names: &[NameCount]) -> bool {
    if !(0.0..=1.0).contains(&numbers.min) || !(4..=MOST_COUNTS).contains(&names.len()) {
        return false;
    }
    let rows = |below: bool| -> u64 {
        let is_low = |own: &&NameCount| own.name.parse::<f64>().is_ok_and(|x| (x <= numbers.mean) == below);
        names.iter().filter(is_low).map(|own| own.rows).sum()
    };
    // A long tail above the mean, and a spread like that of a Poisson distribution or wider.
    rows(true) as f64 > 1.2 * rows(false) as f64
        && numbers.std * numbers.std >= 0.5 * numbers.mean
        && numbers.max >= 3.0 * numbers.mean
        && numbers.mean <= LARGEST_COUNT
}
