//! A column that assigns each row to a split.

use super::{Assigner, Part, SplitPlan, Stratum};
use crate::error::{Error, Result};

impl Part {
    /// The part that a cell of a split column or a folder of pictures names, in any case.
    pub fn named(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "validation" | "valid" | "val" | "dev" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

/// The number of rows that a split column assigns to each part.
#[derive(Debug, Clone, Default)]
pub struct ColumnCounts {
    /// The rows to train on, by stratum.
    train: Vec<u64>,
    validation: u64,
}

impl ColumnCounts {
    /// Counts of zero for `strata` strata.
    pub fn new(strata: usize) -> Self {
        Self { train: vec![0; strata], validation: 0 }
    }

    /// Counts a row.
    pub fn add(&mut self, part: Part, stratum: Stratum) {
        match part {
            // A file that has changed since it was counted has other strata.
            Part::Train => {
                if let Some(rows) = self.train.get_mut(stratum) {
                    *rows += 1;
                }
            }
            Part::Validation => self.validation += 1,
            Part::Test | Part::Unused => {}
        }
    }

    /// An assigner that holds a share for validation out of the rows to train on, where the column names no rows for that.
    pub fn assigner(&self, plan: &SplitPlan, seed: u64) -> Result<Assigner> {
        if self.train.iter().sum::<u64>() == 0 {
            return Err(Error::key("data.split_column", "has no row for \"train\""));
        }
        if self.validation > 0 && plan.validation > 0.0 {
            let problem = "cannot be used where `data.split_column` has rows for validation; remove it";
            return Err(Error::key("data.validation", problem));
        }
        Assigner::new(&SplitPlan { test: 0.0, ..*plan }, &self.train, seed)
    }
}
