//! `data.group`: rows that go to the same split.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::named::{self, Named};
use super::options::{ColumnKind, Options};
use super::read::quoted;
use super::row::Cells;
use super::value::Value;
use crate::error::{Error, Result};

/// The columns in a file whose cells name a row's group.
#[derive(Debug, Clone)]
pub(super) struct GroupColumns {
    path: PathBuf,
    /// Their names, and their indices in the file.
    columns: Vec<(String, usize)>,
}

impl GroupColumns {
    /// The columns that the options name, in a file with these columns; `is_fitted` where the run knew it before.
    ///
    /// # Errors
    /// A column that does not exist, or that is a target or the weight too.
    pub(super) fn new(
        options: &Options,
        path: &Path,
        columns: &[String],
        is_fitted: bool,
    ) -> Result<Option<Self>> {
        let place = |name: &String| {
            let others = [("a target", &options.target.0[..]), ("the weight", options.weight.as_slice())];
            named::check_roles("data.group", name, &others)?;
            let named = Named { key: "data.group", name, role: "to keep rows together by" };
            Ok((name.clone(), named::place(path, columns, named, is_fitted)?))
        };
        let columns: Vec<(String, usize)> = options.group.0.iter().map(place).collect::<Result<_>>()?;
        Ok((!columns.is_empty()).then(|| Self { path: path.to_path_buf(), columns }))
    }

    /// Whether the options make a column that names groups a feature too: its kind is given.
    pub(super) fn is_feature(options: &Options, name: &str) -> bool {
        options.columns.get(name).is_some_and(|kind| *kind != ColumnKind::Ignore)
    }

    /// Whether this is one of the columns.
    pub(super) fn has(&self, column: usize) -> bool {
        self.columns.iter().any(|(_, own)| *own == column)
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|(name, _)| quoted(name)).collect();
        names.join(", ")
    }

    /// The name of a row's group.
    ///
    /// # Errors
    /// A cell that is missing, or holds a list.
    pub(super) fn of(&self, row: &impl Cells) -> Result<String> {
        let mut name = String::new();
        for (column, index) in &self.columns {
            let value = row.value(*index);
            let Some(cell) = value.name() else {
                let (line, column) = (row.line(), quoted(column));
                let problem = if value == Value::Nested {
                    format!(
                        "line {line}, column {column}: a list or an object is no group's name; use another column"
                    )
                } else {
                    format!(
                        "line {line}, column {column}: a group's name is missing; fill it in, or remove the row"
                    )
                };
                return Err(Error::data(&self.path, problem));
            };
            // The length tells ("a", "bc") from ("ab", "c").
            let _ = write!(name, "{}:{cell}", cell.len());
        }
        Ok(name)
    }
}
