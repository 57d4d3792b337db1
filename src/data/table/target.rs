//! Finds the target columns and fits the target.

use std::path::Path;

use super::named::{self, Named};
use super::options::Options;
use super::read::quoted;
use super::shown::nested;
use super::survey;
use crate::data::preprocess::{Target, TargetFit, TargetTransform, TrainingValues};
use crate::data::{Preparation, Request, Task};
use crate::error::{Error, Result};
use crate::names::counted;

/// Finds the target columns.
pub(super) fn places(
    path: &Path,
    targets: &[String],
    columns: &[String],
    is_fitted: bool,
) -> Result<Vec<usize>> {
    let place = |name: &String| {
        let named = Named { key: "data.target", name, role: "to predict" };
        named::place(path, columns, named, is_fitted)
    };
    targets.iter().map(place).collect()
}

/// The target of a task without class names.
pub(super) fn of_numbers(
    path: &Path,
    task: Task,
    names: &[String],
    columns: &[survey::ColumnSurvey],
    fit: TargetFit,
) -> Result<Target> {
    for (name, column) in names.iter().zip(columns) {
        check(path, task, name, column)?;
        if let Some(problem) = fit.problem(column.numbers.min).filter(|_| task == Task::Values) {
            return Err(Error::data(path, format!("target {}: {problem}", quoted(name))));
        }
    }
    let names = names.to_vec();
    Ok(match task {
        Task::Labels => Target::Labels { words: columns.iter().map(words).collect(), names },
        Task::Classes { .. } => Target::Probabilities { names },
        Task::Values => {
            let values = columns.iter().map(|column| TrainingValues {
                moments: column.numbers,
                sorted: if fit.needs_numbers() { column.sorted_sample(false) } else { Vec::new() },
            });
            Target::Values { scale: fit.fit(&values.collect::<Vec<_>>()), names }
        }
    })
}

/// How numeric targets of a table are transformed.
pub(super) fn fit(options: &Options, request: &Request<'_>) -> Result<TargetFit> {
    let Preparation { target_transform: transform, clamp_output: clamp, .. } = *request.plan;
    if transform == Some(TargetTransform::Standard) && !options.standardize_target {
        let problem = "is \"standard\", and `data.standardize_target` is false; leave one of them out";
        return Err(Error::key("data.target_transform", problem));
    }
    Ok(TargetFit { transform, standardize: options.standardize_target && request.standardize, clamp })
}

/// Checks that a target has a value in every row, and a number unless the task is about labels.
fn check(path: &Path, task: Task, name: &str, column: &survey::ColumnSurvey) -> Result<()> {
    let data = |problem: String| Err(Error::data(path, format!("target {}: {problem}", quoted(name))));
    if let Some(line) = column.nested {
        return data(nested(line));
    }
    if column.missing_anywhere > 0 {
        let line = column.first_missing.unwrap_or_default();
        let count = column.missing_anywhere;
        return data(format!(
            "it is missing in {}, the first is line {line}; `data.drop_missing_target = true` leaves them out",
            counted(count, "row")
        ));
    }
    if let Some(cell) = column.infinite.first() {
        return data(format!("line {} has {}, which is not finite; correct it", cell.line, cell.text));
    }
    let all_numbers = column.no_numbers.count == 0;
    if task == Task::Labels {
        let numbers = all_numbers && column.numbers.min >= 0.0 && column.numbers.max <= 1.0;
        if numbers || (!column.lost && column.names.len() == 2) {
            return Ok(());
        }
        if let (false, [only]) = (column.lost, column.sorted_names().as_slice()) {
            return data(format!("all training rows have {}; there is nothing to learn", quoted(only)));
        }
        return data("its values are neither numbers from 0 to 1 nor one of two words; for classes use the loss `cross_entropy`".to_owned());
    }
    if all_numbers {
        return Ok(());
    }
    let shown = column.no_numbers.shown();
    data(match column.forms_of_most().hint(path) {
        Some(hint) => format!("{shown}; {hint}"),
        None => format!("{shown}; for classes use the loss `cross_entropy`"),
    })
}

/// The words for no and yes: recognised ones, or the two names in alphabetical order.
fn words(column: &survey::ColumnSurvey) -> [String; 2] {
    let names = column.sorted_names();
    let shares = column.no_numbers.count == 0 && column.numbers.min >= 0.0 && column.numbers.max <= 1.0;
    if shares || names.len() != 2 {
        return ["0".to_owned(), "1".to_owned()];
    }
    let yes = |name: &str| super::value::Value::Text(name).boolean() == Some(true);
    match <[String; 2]>::try_from(names) {
        Ok([first, second]) if yes(&first) => [second, first],
        Ok(names) => names,
        Err(_) => ["0".to_owned(), "1".to_owned()],
    }
}
