//! `data.weight`: how much each row of a table counts.

use std::path::{Path, PathBuf};

use super::named::{self, Named};
use super::options::{ColumnKind, Options};
use super::read::quoted;
use super::row::Cells;
use super::shown::shown;
use super::value::Value;
use crate::error::{Error, Result};

/// The column of the weights in a file.
#[derive(Debug, Clone)]
pub(super) struct WeightColumn {
    path: PathBuf,
    name: String,
    /// Its index in the file.
    pub(super) index: usize,
}

impl WeightColumn {
    /// The column that the options name, in a file with these columns; `is_fitted` where the run knew it before.
    ///
    /// # Errors
    /// A column that does not exist, or that is the target, the split column or a feature too.
    pub(super) fn new(
        options: &Options,
        path: &Path,
        columns: &[String],
        is_fitted: bool,
    ) -> Result<Option<Self>> {
        let Some(name) = &options.weight else { return Ok(None) };
        let splits = options.split_column.as_slice();
        let others = [("the target", &options.target.0[..]), ("the split column", splits)];
        named::check_roles("data.weight", name, &others)?;
        if options.columns.get(name).is_some_and(|kind| *kind != ColumnKind::Ignore) {
            let problem = "is the kind of `data.weight`, which is no feature; remove it";
            return Err(Error::key(format!("data.columns.{name}"), problem));
        }
        let named = Named { key: "data.weight", name, role: "of the rows' weights" };
        let index = named::place(path, columns, named, is_fitted)?;
        Ok(Some(Self { path: path.to_path_buf(), name: name.clone(), index }))
    }

    /// The weight of a row.
    ///
    /// # Errors
    /// A cell that is no finite number of 0 or more.
    pub(super) fn of(&self, row: &impl Cells) -> Result<f64> {
        let value = row.value(self.index);
        let problem = match value.number() {
            Some(weight) if weight.is_finite() && weight >= 0.0 => return Ok(weight),
            None if value == Value::Missing => "is missing".to_owned(),
            None => format!("{} is no number", shown(value)),
            Some(weight) if weight < 0.0 => format!("{} is negative", shown(value)),
            Some(_) => format!("{} is not finite", shown(value)),
        };
        let column = quoted(&self.name);
        let problem = format!("line {}, column {column}: the weight {problem}; correct the cell", row.line());
        Err(Error::data(&self.path, problem))
    }
}
