//! The sentences about cells that cannot be encoded.

use std::borrow::Cow;
use std::path::Path;

use super::read::quoted;
use super::row::Cells;
use super::shown::shown;
use super::value::Value;
use crate::data::preprocess::CellError;
use crate::error::Error;

impl CellError {
    fn problem(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Missing | Self::MissingTarget => "is missing",
            Self::NotFinite => "is not finite",
            Self::NotNumber => "is no number",
            Self::NotDate(form) => {
                return Cow::Owned(format!("is no {}, as the run was trained with", form.example()));
            }
            Self::NotBoolean => "is neither yes nor no",
            Self::Nested => "is no feature",
            Self::TooLarge => "is too large",
            Self::UnknownClass => "is no class that training had",
            Self::NotTarget => "is no number that can be learnt",
            Self::NoLogarithm => "is -1 or less, which `data.target_transform = \"log1p\"` does not take",
        })
    }

    fn way_out(self) -> &'static str {
        match self {
            Self::Missing => "fill it, or train with `data.missing`",
            Self::MissingTarget => "`data.drop_missing_target = true` leaves such rows out",
            Self::NoLogarithm => "correct the cell, or train with \"quantile\" or \"standard\"",
            Self::NotNumber | Self::NotDate(_) | Self::NotBoolean => {
                "correct or empty the cell, or train with the word in `data.na_values`"
            }
            _ => "correct the cell",
        }
    }
}

/// The error for a cell.
pub(super) fn at(path: &Path, row: &impl Cells, column: &str, value: Value<'_>, error: CellError) -> Error {
    let shown = if value == Value::Missing { String::new() } else { format!("{} ", shown(value)) };
    let (problem, way_out) = (error.problem(), error.way_out());
    let text = format!("line {}, column {}: {shown}{problem}; {way_out}", row.line(), quoted(column));
    Error::data(path, text)
}
