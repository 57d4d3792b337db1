//! Fits the preprocessing of a series to its training rows.

use std::collections::BTreeMap;
use std::path::Path;

use crate::data::Request;
use crate::data::preprocess::{CalendarPart, Column, Operation, SeriesOrder, TableEncoder};
use crate::data::split::Part;
use crate::data::table::fit::ColumnFitter;
use crate::data::table::options::{ColumnKind, Missing, Options};
use crate::data::table::read::quoted;
use crate::data::table::survey::{self, Survey};
use crate::data::table::{Opened, named, target};
use crate::error::{Error, Result};
use crate::names::counted;

/// The order of a series, and the features of its times.
pub(super) struct FittedSeries<'a> {
    pub(super) order: &'a SeriesOrder,
    pub(super) calendar: &'a [CalendarPart],
}

/// Fits the encoder on the rows of a file that are trained on.
///
/// # Errors
/// A column that does not exist or cannot be used.
pub(super) fn fit(
    options: &Options,
    table: &Opened,
    trained: &[bool],
    series: &FittedSeries<'_>,
    request: &Request<'_>,
) -> Result<TableEncoder> {
    let FittedSeries { order, calendar } = *series;
    let clock = clock(order, calendar)?;
    let (path, columns) = (table.path(), table.columns());
    named::check_columns(options, path, columns)?;
    let targets = target::places(path, &options.target.0, columns, false)?;
    named::check_kinds(options, request.task)?;
    let survey = survey(options, table, trained, request)?;
    let names: Vec<String> = targets.iter().map(|place| columns[*place].clone()).collect();
    if order.fill.is_none() {
        for (name, place) in names.iter().zip(&targets) {
            require_all(path, name, &survey.columns[*place])?;
        }
    }
    let found: Vec<_> = targets.iter().map(|place| with_holes(&survey.columns[*place], order)).collect();
    let target = target::of_numbers(path, request.task, &names, &found, target::fit(options, request)?)?;
    let unused = unused(order, columns, &options.columns);
    let mut options = options.clone();
    options.columns.extend(unused.iter().map(|(name, _)| (name.clone(), ColumnKind::Ignore)));
    let fitter = ColumnFitter { path, options: &options, normalize: request.plan.normalize, ordered: true };
    let fitted = fitter.columns(columns, &survey.columns)?.into_iter();
    let is_clock = |column: &Column| clock.as_ref().is_some_and(|clock| clock.name == column.name);
    let fitted = fitted.map(|column| match unused.iter().find(|(name, _)| *name == column.name) {
        Some((name, why)) => Column::ignored(name, (*why).to_owned()),
        None => column,
    });
    let fitted =
        fitted.map(|column| if is_clock(&column) { clock.clone().unwrap_or(column) } else { column });
    Ok(TableEncoder::new(target, fitted.collect()))
}

/// The column of the time with its features of the calendar, if there are any.
fn clock(order: &SeriesOrder, calendar: &[CalendarPart]) -> Result<Option<Column>> {
    CalendarPart::check(calendar)?;
    match (&order.time, order.form) {
        _ if calendar.is_empty() => Ok(None),
        (Some(name), Some(form)) => {
            let operations = vec![Operation::Calendar { form, parts: calendar.to_vec() }];
            Ok(Some(Column { name: name.clone(), operations, ignored: None }))
        }
        _ => {
            let problem =
                "needs a date in each row; name the column of the time in `data.time`, or leave it out";
            Err(Error::key("data.calendar", problem))
        }
    }
}

/// Surveys the columns of a file.
fn survey(options: &Options, table: &Opened, trained: &[bool], request: &Request<'_>) -> Result<Survey> {
    let category = |name: &String| options.columns.get(name).is_some_and(|kind| kind.is_names());
    let categories: Vec<bool> = table.columns().iter().map(category).collect();
    let quantiles = request.plan.needs_quantiles() || options.missing == Some(Missing::Median);
    let mut survey = Survey::new(&categories, quantiles);
    let (mut batches, mut trained) = (table.batches()?, trained.iter());
    while let Some(batch) = batches.next()? {
        let parts = trained.by_ref().take(batch.rows().len());
        let parts: Vec<Part> = parts.map(|trained| if *trained { Part::Train } else { Part::Test }).collect();
        survey.see_batch(&batch, &parts, &[]);
    }
    Ok(survey)
}

/// Checks that no row of a series that is not filled lacks a target.
fn require_all(path: &Path, name: &str, column: &survey::ColumnSurvey) -> Result<()> {
    let line = match column.first_missing {
        Some(line) if column.missing_anywhere > 0 => line,
        _ => return Ok(()),
    };
    let problem = format!(
        "target {}: it is missing in {}, the first is line {line}; with `data.missing = \"previous\"` or \"interpolate\" windows \
         see a value in its place, and none predicts such a row",
        quoted(name),
        counted(column.missing_anywhere, "row")
    );
    Err(Error::data(path, problem))
}

/// The survey of a target: its missing cells are left out where those of features are filled.
fn with_holes(found: &survey::ColumnSurvey, order: &SeriesOrder) -> survey::ColumnSurvey {
    let mut found = found.clone();
    if order.fill.is_some() {
        found.missing_anywhere = 0;
    }
    found
}

/// The columns that order the rows and are no features, each with the reason.
fn unused(
    order: &SeriesOrder,
    columns: &[String],
    given: &BTreeMap<String, ColumnKind>,
) -> Vec<(String, &'static str)> {
    let time = order.time.iter().map(|name| (name.clone(), "the time"));
    let why = "it tells series apart; a kind in `[data.columns]` makes it a feature";
    let group = order.group.iter().map(|name| (name.clone(), why));
    time.chain(group).filter(|(name, _)| columns.contains(name) && !given.contains_key(name)).collect()
}
