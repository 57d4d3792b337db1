//! One step of preprocessing.

use super::column::Column;
use super::elements::Elements;

/// One step of preprocessing, fitted on the training rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A column of a table becomes features.
    Column(Column),
    /// All elements of an array or a picture are scaled.
    Elements(Elements),
}

impl Step {
    /// A description for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Column(column) => column.describe(),
            Self::Elements(elements) => elements.describe(),
        }
    }
}
