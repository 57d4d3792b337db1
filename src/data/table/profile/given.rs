//! How the cells of a table are read, as far as somebody says so before it is looked at.

use std::path::Path;

use serde::Deserialize;

use crate::data::table::column_names::ColumnNames;
use crate::data::table::na_values::NaValues;
use crate::data::table::options::Options;

/// The options of `[data]` that decide what a table's cells are.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct GivenReading {
    /// CSV: the delimiter.
    pub delimiter: Option<char>,
    /// CSV: the decimal point of numbers.
    pub decimal: Option<char>,
    /// CSV: the separator of thousands.
    pub thousands: Option<char>,
    /// Further words for missing cells. With some, no others are looked for.
    pub na_values: NaValues,
    /// Whether text such as `NA` is text.
    pub keep_na: bool,
    /// Whether rows without a target are left out.
    pub drop_missing_target: bool,
}

impl GivenReading {
    /// Their keys.
    pub const KEYS: [&str; 6] =
        ["delimiter", "decimal", "thousands", "na_values", "keep_na", "drop_missing_target"];

    /// The options of a table that is read so.
    pub(super) fn options(&self, path: &Path, targets: &[String]) -> Options {
        let Self { delimiter, decimal, thousands, na_values, keep_na, drop_missing_target } = self.clone();
        Options {
            path: path.to_path_buf(),
            target: ColumnNames(targets.to_vec()),
            delimiter,
            decimal,
            thousands,
            na_values,
            keep_na,
            drop_missing_target,
            ..Options::default()
        }
    }
}
