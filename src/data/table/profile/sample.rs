//! The first rows of a table as text, with every different value of a column counted.

use super::Row;
use crate::data::table::Opened;
use crate::data::table::survey::{ColumnSurvey, Survey};
use crate::error::Result;

/// The rows that are read.
pub(super) const ROWS: usize = 20_000;

/// The first rows of a table.
pub(super) struct Sample {
    survey: Survey,
}

impl Sample {
    /// Reads the first rows as the file writes them.
    pub(super) fn read(table: &Opened) -> Result<Self> {
        let (mut records, mut row) = (table.records()?, Row::default());
        let mut survey = Survey::new(&vec![true; table.columns().len()], false);
        let mut rows = 0;
        while rows < ROWS && records.next(&mut row)? {
            survey.see(&row, true);
            rows += 1;
        }
        Ok(Self { survey })
    }

    /// The columns.
    pub(super) fn columns(&self) -> &[ColumnSurvey] {
        &self.survey.columns
    }
}
