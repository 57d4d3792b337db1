//! Finds out whether the rows of a table are one or several series: a column is their time.

use std::ops::Range;

use super::file::times_of;
use super::profile::SeriesProfile;
use super::timeline::Timeline;
use super::times::UniqueTimes;
use crate::data::preprocess::SeriesOrder;
use crate::data::table::dates::DateForm;
use crate::data::table::options::ColumnKind;
use crate::data::table::profile::{ColumnProfile, TableProfile};
use crate::data::table::row::Row;
use crate::error::Result;
use crate::stats::real;

/// So many rows are looked at.
const ROWS: usize = 50_000;
/// The fraction of steps that have to be the usual one.
const REGULAR: f64 = 0.7;
/// Fewer rows than this are no series to train on, nor are many series most of which have fewer, where there are other
/// columns.
const LEAST: usize = 40;
/// The fraction of the rows of a file that follow each other in time, or all against it: a file whose rows were drawn or
/// shuffled is a table.
const ORDERED: f64 = 0.9;
/// One row of so many, at most, may have no time, or that of another, where the others are a series.
const MOST_BROKEN: usize = 20;
/// The most columns that are tried as the names of several series.
const MOST_GROUPS: usize = 6;

/// The order of the rows of a table; nothing where no column is their time.
pub fn detect(profile: &TableProfile, targets: &[String]) -> Option<SeriesProfile> {
    if profile.rows < LEAST as u64 {
        return None;
    }
    let found =
        candidates(profile, targets).find_map(|TimeCandidate { time, group }| order(profile, time, group))?;
    // Of short series rather the columns tell the target than the few rows before.
    let has_role =
        |name: &String| targets.contains(name) || *name == found.time || found.group.as_ref() == Some(name);
    let is_other = |column: &ColumnProfile| column.kind != ColumnKind::Ignore && !has_role(&column.name);
    // Of a long file the first rows were read, which may be the first of each series.
    let parts = profile.rows.div_ceil(ROWS as u64);
    let length = (typical_length(&found.timeline) as u64).saturating_mul(parts);
    if length < LEAST as u64 && profile.columns.iter().any(is_other) {
        return None;
    }
    let values = values(profile, targets, found.timeline.len()).ok()?;
    Some(SeriesProfile { values, ..found })
}

/// A column that may be the time, alone or with one that tells several series apart.
struct TimeCandidate<'a> {
    time: &'a String,
    group: Option<&'a String>,
}

/// The candidates, the likeliest first.
fn candidates<'a>(
    profile: &'a TableProfile,
    targets: &'a [String],
) -> impl Iterator<Item = TimeCandidate<'a>> {
    let is_free = |column: &&ColumnProfile| !targets.contains(&column.name) && column.missing == 0;
    let free = move || profile.columns.iter().filter(is_free);
    free().filter(|column| may_be_time(column)).take(2).flat_map(move |time| {
        let groups = free().filter(|column| may_be_group(column, profile.rows)).take(MOST_GROUPS);
        let groups = groups.map(|group| Some(&group.name));
        std::iter::once(None).chain(groups).map(|group| TimeCandidate { time: &time.name, group })
    })
}

/// A column that would be the time of one or several series, but for a few rows.
#[derive(Debug)]
pub struct RepeatedTime {
    /// The column.
    pub time: String,
    /// The column that tells several series apart.
    pub group: Option<String>,
    /// The rows that have the time of another row of their series.
    pub rows: usize,
    /// The lines of the first of them and of the row before it.
    pub lines: [u64; 2],
}

/// The column of a table that would be the time, if a few rows did not have the time of others.
pub fn repeated_time(profile: &TableProfile, targets: &[String]) -> Option<RepeatedTime> {
    if profile.rows < LEAST as u64 {
        return None;
    }
    candidates(profile, targets).find_map(|TimeCandidate { time, group }| {
        let order = series_order(time, group, true);
        let times = times_of(&profile.table, &order, ROWS).ok()?;
        let read = times.lines.len();
        let UniqueTimes { times, repeated: rows, first } = times.unique();
        let timeline = Timeline::new(profile.table.path(), times, &order).ok()?;
        let is_series = timeline.regularity() >= REGULAR && is_ordered(&timeline);
        let are_few = rows * MOST_BROKEN <= read && typical_length(&timeline) >= LEAST;
        let (time, group) = (time.clone(), group.cloned());
        (is_series && are_few).then_some(RepeatedTime { time, group, rows, lines: first? })
    })
}

/// The order of rows by these columns.
fn series_order(time: &str, group: Option<&String>, sort: bool) -> SeriesOrder {
    let group = group.cloned().into_iter().collect();
    SeriesOrder { time: Some(time.to_owned()), group, sort, ..SeriesOrder::default() }
}

/// The order of the rows by this column, where it is regular.
fn order(profile: &TableProfile, time: &str, group: Option<&String>) -> Option<SeriesProfile> {
    let read = |sort: bool| {
        let order = series_order(time, group, sort);
        let times = times_of(&profile.table, &order, ROWS).ok()?;
        Timeline::new(profile.table.path(), times, &order).ok()
    };
    let is_regular = |timeline: &Timeline| timeline.regularity() >= REGULAR;
    let as_is = read(false).filter(is_regular);
    let sort = as_is.is_none();
    let timeline = as_is.or_else(|| read(true).filter(|found| is_regular(found) && is_ordered(found)))?;
    let (time, group) = (time.to_owned(), group.cloned());
    Some(SeriesProfile { time, step: timeline.step()?, group, sort, timeline, values: Vec::new() })
}

/// Whether the rows of the series stand in the file in the order of time, or in the opposite one.
fn is_ordered(timeline: &Timeline) -> bool {
    let pairs = timeline.series().iter().flat_map(|series| timeline.rows(series.clone()).windows(2));
    let [mut forth, mut all] = [0usize; 2];
    for pair in pairs {
        forth += usize::from(pair[0] < pair[1]);
        all += 1;
    }
    real(forth.max(all - forth)) >= ORDERED * real(all)
}

/// The median of the series' lengths.
fn typical_length(timeline: &Timeline) -> usize {
    let mut lengths: Vec<usize> = timeline.series().iter().map(Range::len).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or(0)
}

/// The values of each target in the first rows, in the order of the file; NaN where one is missing.
fn values(profile: &TableProfile, targets: &[String], rows: usize) -> Result<Vec<Vec<f64>>> {
    let (mut records, mut row) = (profile.table.records()?, Row::default());
    let columns = profile.table.columns();
    let places: Vec<usize> =
        targets.iter().filter_map(|target| columns.iter().position(|own| own == target)).collect();
    let mut values = vec![Vec::with_capacity(rows); places.len()];
    for _ in 0..rows {
        if !records.next(&mut row)? {
            break;
        }
        for (place, values) in places.iter().zip(&mut values) {
            values.push(row.value(*place).number().unwrap_or(f64::NAN));
        }
    }
    Ok(values)
}

/// The first column of dates that would be the time but for a few rows without one.
pub fn broken_dates(profile: &TableProfile) -> Result<Option<&ColumnProfile>> {
    let is_broken = |column: &&ColumnProfile| {
        column.kind == ColumnKind::Date && (1..=profile.rows / MOST_BROKEN as u64).contains(&column.missing)
    };
    for column in profile.columns.iter().filter(is_broken) {
        if is_in_order(profile, &column.name)? {
            return Ok(Some(column));
        }
    }
    Ok(None)
}

/// Whether the dates of a column, in one of the forms that dates have, go on from row to row, or back.
fn is_in_order(profile: &TableProfile, name: &str) -> Result<bool> {
    let Some(place) = profile.table.columns().iter().position(|own| own == name) else { return Ok(false) };
    let mut last: Vec<Option<f64>> = DateForm::all().map(|_| None).collect();
    // Of each form the pairs of rows that go on, those that go back, and all.
    let mut pairs = vec![[0usize; 3]; last.len()];
    let (mut records, mut row, mut rows) = (profile.table.records()?, Row::default(), 0);
    while rows < ROWS && records.next(&mut row)? {
        rows += 1;
        for ((form, last), [on, back, all]) in DateForm::all().zip(&mut last).zip(&mut pairs) {
            let Some(days) = row.value(place).date(form) else { continue };
            if let Some(before) = last.replace(days) {
                *on += usize::from(days >= before);
                *back += usize::from(days <= before);
                *all += 1;
            }
        }
    }
    let is_ordered =
        |[on, back, all]: &[usize; 3]| 2 * *all > rows && real(*on.max(back)) >= ORDERED * real(*all);
    Ok(pairs.iter().any(is_ordered))
}

/// Whether a column may be the time: dates, or numbers of such a name.
fn may_be_time(column: &ColumnProfile) -> bool {
    const NAMES: [&str; 8] = ["time", "date", "datetime", "timestamp", "ds", "t", "year", "month"];
    let is_named = NAMES.contains(&column.name.to_lowercase().as_str());
    column.dates.is_some() || (is_named && column.numbers.is_some())
}

/// Whether a column may tell several series apart: names that repeat.
fn may_be_group(column: &ColumnProfile, rows: u64) -> bool {
    let is_named = matches!(column.kind, ColumnKind::Category | ColumnKind::Embedding);
    let is_code = column.numbers.is_some_and(|numbers| numbers.are_whole)
        && ["store", "series", "unique_id", "item", "id", "group", "sensor", "site", "station"]
            .contains(&column.name.to_lowercase().as_str());
    (is_named || is_code) && column.distinct().is_some_and(|names| 10 * names as u64 <= rows)
}
