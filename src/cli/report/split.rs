//! A split that a network is evaluated on.

use rustc_hash::FxHashMap;

use crate::config::Config;
use crate::data::split::Part;
use crate::data::{Dataset, Preprocessing, WrittenRow};
use crate::error::Result;
use crate::run::session;
use crate::trainer::Trainer;

/// A split that a network is evaluated on.
pub(super) struct EvaluatedSplit<'a> {
    pub(super) trainer: &'a Trainer,
    pub(super) config: &'a Config,
    /// `test` or `val`.
    pub(super) name: &'a str,
    pub(super) data: &'a Dataset,
    pub(super) preprocessing: &'a Preprocessing,
}

impl EvaluatedSplit<'_> {
    /// The place of a row in its file, where that is known.
    pub(super) fn place_of(&self, row: usize) -> Result<String> {
        Ok(self.written_rows(&[row])?.remove(&row).map_or_else(String::new, |row| row.place))
    }

    /// The rows with these numbers as their file has them, by number.
    pub(super) fn written_rows(&self, numbers: &[usize]) -> Result<FxHashMap<usize, WrittenRow>> {
        let request = session::request(self.config, Some(self.preprocessing));
        let part = if self.name == "test" { Part::Test } else { Part::Validation };
        let rows = self.config.source.written_rows(&request, part, numbers)?;
        Ok(rows.into_iter().map(|row| (row.number, row)).collect())
    }
}
