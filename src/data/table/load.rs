//! From a file to encoded rows in their parts.

use std::path::Path;

use super::fit::ColumnFitter;
use super::options::{Missing, Options, Test};
use super::parts::{EncodedParts, encode, say_left_out};
use super::plan::{AssignedBatch, TablePlan};
use super::read::{Dialect, Format, Input, TableFile};
use super::roles::ColumnRoles;
use super::survey::Survey;
use super::{Opened, target};
use crate::data::preprocess::{
    Column, Preprocessing, PreprocessingSource, TableEncoder, TableFormat, Target,
};
use crate::data::{EncodedRows, EncodedSplits, Loaded, Request, Task};
use crate::error::{Error, Result};
use crate::names::with_verb;

/// Loads a table by its options.
pub(super) fn load(options: &Options, format: Format, request: &Request<'_>) -> Result<Loaded> {
    options.check(format)?;
    if let Some(Missing::Previous | Missing::Interpolate) = options.missing {
        let problem = "fills from the rows before, which a table does not have; it is for `timeseries`";
        return Err(Error::key("data.missing", problem));
    }
    let own = Format::of(&options.path).filter(|_| format != Format::Csv).unwrap_or(format);
    if own != format {
        let problem = format!(
            "is {}, whose extension does not match `data.name`; change one of them",
            options.path.display()
        );
        return Err(Error::key("data.path", problem));
    }
    let (input, dialect) = (Input::File(options.path.clone()), options.dialect(request.task));
    let file = TableFile { input: &input, format, dialect: &dialect, ranks: request.ranks };
    let load = |table: &Opened| load_from(table, options, request);
    Opened::load(&file, options.wanted(request), options.memory, load)
}

/// Loads a table that is open.
fn load_from(table: &Opened, options: &Options, request: &Request<'_>) -> Result<Loaded> {
    let plan = TablePlan::new(ColumnRoles::new(options, table, request)?)?;
    if let (Some(limited), None) = (plan.assigner.limited(), request.fitted) {
        limited.log();
    }
    say_left_out(table, plan.census.left_out, options);
    let encoder = match request.fitted.and_then(Preprocessing::table) {
        Some(encoder) => encoder.clone(),
        None => fit(&plan)?,
    };
    let EncodedParts { train, validation, test, duplicates } = encode(&plan, &encoder)?;
    if duplicates > 0 {
        tracing::warn!(
            "{}: {} the features of a training row",
            options.path.display(),
            with_verb(duplicates, "held-out row", ["duplicates", "duplicate"])
        );
    }
    if request.fitted.is_none() {
        warn_of_shared(plan.shared_rows()?, options);
    }
    // Rows to predict have no target.
    let dialect = Dialect { required_columns: Vec::new(), ..table.dialect.clone() };
    let format = TableFormat { format: table.format, dialect };
    let train = train
        .ok_or_else(|| Error::data(&options.path, format!("there are no rows {}", request.row_use())))?;
    check_weights(&train, &options.path)?;
    let outputs = encoder.target.outputs();
    let source = PreprocessingSource::Table { format, encoder };
    Ok(Loaded::Encoded(Box::new(EncodedSplits { train, validation, test, outputs, source })))
}

/// Warns of rows of a test file whose groups are trained on.
fn warn_of_shared(rows: u64, options: &Options) {
    if let (1.., Test::File(path)) = (rows, &options.test) {
        tracing::warn!(
            "{}: {} of a `data.group` that is trained on, so that the test says little about new ones",
            path.display(),
            with_verb(rows, "row", ["is", "are"])
        );
    }
}

/// Checks that a training row counts.
fn check_weights(train: &EncodedRows, path: &Path) -> Result<()> {
    let weights = match train {
        EncodedRows::Memory(rows) => rows.weights.clone(),
        EncodedRows::File(stored) => stored.weights(),
        EncodedRows::Windows(_) => None,
    };
    if weights.is_some_and(|weights| weights.iter().all(|weight| *weight == 0.0)) {
        return Err(Error::data(path, "all training rows have the weight 0; there is nothing to learn from"));
    }
    Ok(())
}

/// Fits the encoder on the training rows: the second pass.
fn fit(plan: &TablePlan<'_>) -> Result<TableEncoder> {
    let ColumnRoles { options, table, request, targets, features, .. } = &plan.roles;
    let (columns, classes) = (table.columns(), plan.roles.class_column());
    let is_category = |column: usize| {
        let given = options.columns.get(&columns[column]);
        Some(column) == classes
            || given.is_some_and(|kind| kind.is_names())
            || (request.task == Task::Labels && targets.contains(&column))
    };
    let categories: Vec<bool> = (0..columns.len()).map(is_category).collect();
    let quantiles = request.plan.needs_quantiles() || options.missing == Some(Missing::Median);
    let mut survey = Survey::new(&categories, quantiles);
    let weight = plan.roles.weight.as_ref();
    if weight.is_some() && quantiles {
        return Err(no_weighted_quantiles(options, request));
    }
    plan.pass(|AssignedBatch { batch, parts }| {
        let weights =
            weight.map(|weight| batch.rows().map(|row| weight.of(&row)).collect::<Result<Vec<_>>>());
        survey.see_batch(&batch, &parts, &weights.transpose()?.unwrap_or_default());
        Ok(())
    })?;
    let pick = |places: &[usize]| -> (Vec<String>, Vec<super::survey::ColumnSurvey>) {
        places.iter().map(|place| (columns[*place].clone(), survey.columns[*place].clone())).unzip()
    };
    let path = table.path();
    let (names, found) = pick(targets);
    let target = match classes {
        Some(_) => Target::Classes {
            name: names[0].clone(),
            classes: plan.census.names.clone(),
            text: table.format != Format::Csv && plan.census.has_text,
        },
        None => target::of_numbers(path, request.task, &names, &found, target::fit(options, request)?)?,
    };
    let (names, found) = pick(features);
    let fitter = ColumnFitter { path, options, normalize: request.plan.normalize, ordered: false };
    let fitted = require_dates(options, fitter.columns(&names, &found)?)?;
    Ok(TableEncoder::new(target, fitted))
}

/// The same columns, among which `data.calendar` has dates to place.
fn require_dates(options: &Options, columns: Vec<Column>) -> Result<Vec<Column>> {
    if options.calendar.is_empty() || columns.iter().any(Column::has_calendar) {
        return Ok(columns);
    }
    let problem = format!(
        "is for columns of dates, and {} has none that is a feature; leave it out",
        options.path.display()
    );
    Err(Error::key("data.calendar", problem))
}

/// The error of quantiles where rows have weights.
fn no_weighted_quantiles(options: &Options, request: &Request<'_>) -> Error {
    let quantiles = "takes quantiles, which are not defined for weighted rows";
    let (key, why, other) = if options.missing == Some(Missing::Median) {
        ("data.missing", quantiles, "choose \"mean\"")
    } else if request.plan.normalize.needs_quantiles() {
        ("data.normalize", quantiles, "choose \"standard\" or \"minmax\"")
    } else {
        ("data.target_transform", "is fitted to rows that count alike", "choose \"standard\"")
    };
    let problem = format!("{why}; {other}, or leave `data.weight` out");
    Error::key(key, problem)
}

#[cfg(test)]
mod tests;
