//! Columns that a config names.

use std::path::Path;

use rustc_hash::FxHashSet;

use super::options::{ColumnKind as Kind, Options};
use super::read::{known_columns, listed, quoted};
use crate::data::Task;
use crate::error::{Error, Result};
use crate::names::first_few;

/// A column that a key of the config names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) key: &'a str,
    pub(super) name: &'a str,
    /// Its purpose: "to predict".
    pub(super) role: &'a str,
}

impl<'a> Named<'a> {
    /// The time of a series.
    pub(super) fn time(name: &'a str) -> Self {
        Self { key: "data.time", name, role: "to order rows by" }
    }

    /// A column that tells several series apart.
    pub(super) fn group(name: &'a str) -> Self {
        Self { key: "data.group", name, role: "to tell several series apart" }
    }
}

/// Checks that the column of a key has none of these other roles, each with the columns that have it.
///
/// # Errors
/// The key of a column with two roles.
pub(super) fn check_roles(key: &str, name: &String, others: &[(&str, &[String])]) -> Result<()> {
    match others.iter().find(|(_, columns)| columns.contains(name)) {
        Some((other, _)) => {
            Err(Error::key(key, format!("is `{}`, which is {other} too", name.escape_debug())))
        }
        None => Ok(()),
    }
}

/// Checks that a table has the columns that `data.columns` and `data.na_values` name.
///
/// # Errors
/// The key of a column that is not there.
pub(super) fn check_columns(options: &Options, path: &Path, columns: &[String]) -> Result<()> {
    let known: FxHashSet<&String> = columns.iter().collect();
    let kinds = options.columns.keys().map(|name| ("data.columns", name));
    let words = options.na_values.columns().map(|name| ("data.na_values", name));
    match kinds.chain(words).find(|(_, name)| !known.contains(name)) {
        Some((key, unknown)) => {
            let known = known_columns(unknown, columns);
            let problem = format!("is not a column of {}; {known}", path.display());
            Err(Error::key(format!("{key}.{unknown}"), problem))
        }
        None => Ok(()),
    }
}

/// The place of a column in a table with these columns.
///
/// # Errors
/// There is no such column: the key is wrong, or the file where a run was fitted to another.
pub(super) fn place(path: &Path, columns: &[String], named: Named<'_>, is_fitted: bool) -> Result<usize> {
    let Named { key, name, role } = named;
    if let Some(place) = columns.iter().position(|own| own == name) {
        return Ok(place);
    }
    let (own, known) = (quoted(name), known_columns(name, columns));
    Err(if is_fitted {
        Error::data(path, format!("there is no column {own} {role}; {known}"))
    } else {
        let path = path.display();
        Error::key(key, format!("is {own}, but there is no column {own} {role} in {path}: {known}"))
    })
}

/// The error of columns that a run needs and a table does not have.
pub(super) fn absent(path: &Path, names: &[&str], columns: &[String]) -> Error {
    let known = if let [name] = names { known_columns(name, columns) } else { listed(columns) };
    let names = first_few(names.iter().map(|name| quoted(name)));
    Error::data(path, format!("there is no column {names}; {known}"))
}

/// Checks that the kinds in `[data.columns]` of targets and of the split column are those that they have.
///
/// # Errors
/// The key of a kind that would not be used.
pub(super) fn check_kinds(options: &Options, task: Task) -> Result<()> {
    for name in &options.target.0 {
        let fits = |kind: Kind| match task {
            Task::Classes { .. } => kind.is_names(),
            Task::Labels => kind.is_names() || matches!(kind, Kind::Boolean | Kind::Number),
            Task::Values => kind == Kind::Number,
        };
        if options.columns.get(name).is_some_and(|kind| !fits(*kind)) {
            let problem = "is the kind of a target, which follows from the loss: numbers for `mse`, classes for \
                           `cross_entropy`; remove it, or choose the loss for it";
            return Err(Error::key(format!("data.columns.{name}"), problem));
        }
    }
    let split = options.split_column.as_ref();
    if let Some(name) =
        split.filter(|name| options.columns.get(*name).is_some_and(|kind| *kind != Kind::Ignore))
    {
        let problem = "is the kind of `data.split_column`, which is no feature; remove it";
        return Err(Error::key(format!("data.columns.{name}"), problem));
    }
    Ok(())
}
