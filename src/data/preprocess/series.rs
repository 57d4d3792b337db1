//! How the rows of a series follow each other.

use serde::{Deserialize, Serialize};

use crate::data::table::dates::DateForm;

/// How the rows of a series follow each other, as its training rows showed it. The default is a series whose rows follow
/// each other as they stand in the file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesOrder {
    /// The column of the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The time from a row to the next: in days for dates, else in the column's own unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
    /// The form of its dates, where it has dates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<DateForm>,
    /// The columns that tell several series apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<String>,
    /// Whether rows are sorted by time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sort: bool,
    /// How missing cells are filled from the rows around them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill: Option<Fill>,
}

/// How a missing cell is filled from the rows around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fill {
    /// With the last value before it: pandas' `ffill`.
    Previous,
    /// Between the values around it, linear in time; behind the last value with that, as pandas' `interpolate` does.
    Interpolate,
}

impl SeriesOrder {
    /// Whether rows follow each other as they stand in the file.
    pub(super) fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
