//! The one place that assigns rows to training, validation, test and folds.
//!
//! A [`SplitPlan`] describes what is held out. An [`Assigner`] assigns rows at random, stratified by class, with
//! scikit-learn's counts; [`ColumnCounts`] lets a column of the data decide; [`Groups`] of rows stay together; a
//! [`TimeSplit`] cuts a series at points in time. Tables are read in passes and ask the assigner anew in each;
//! [`SplitRows`] splits rows in memory.

mod assigner;
mod column;
mod deal;
mod groups;
mod memory;
mod quota;
mod strata;
mod time;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::names::{counted, counted_are};
use crate::registry::KeyError;

pub use assigner::Assigner;
pub use column::ColumnCounts;
pub use groups::{GroupParts, Groups};
pub use memory::SplitRows;
pub use strata::{Strata, Stratum};
pub use time::TimeSplit;

/// The version of the rules by which rows are assigned. Runs of version 1 (0.1.0) rounded the shares of arrays class by
/// class and drew other rows; those of version 2 took the first rows for a limit, and did not stratify by the two classes of
/// `bce_with_logits`; those of version 3 read no folders of pictures as splits but `train` and `test`.
pub const RULES: u32 = 4;

/// The part that a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Training.
    Train,
    /// Held out to judge the epochs.
    Validation,
    /// Held out to judge the finished model.
    Test,
    /// Nothing.
    Unused,
}

/// K-fold cross-validation: one of `of` parts of equal size is the test split, the others are trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// The number of the fold, from 1.
    #[schemars(range(min = 1))]
    pub index: u64,
    /// The number of folds.
    #[schemars(range(min = 2))]
    pub of: u64,
}

impl Fold {
    pub(super) fn check(self) -> Result<(), KeyError> {
        if self.of < 2 {
            return Err(KeyError::new("of", format!("is {}; give 2 folds or more", self.of)));
        }
        if !(1..=self.of).contains(&self.index) {
            return Err(KeyError::new(
                "index",
                format!("is {}; folds count from 1 to {}", self.index, self.of),
            ));
        }
        Ok(())
    }
}

/// Validation on one of `of` folds of the rows that are not tested on; without a number, the average of the runs of all
/// folds, none of whose rows is held out for validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bag {
    /// The number of the fold, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub index: Option<u64>,
    /// The number of folds.
    #[schemars(range(min = 2))]
    pub of: u64,
}

impl Bag {
    pub(super) fn check(self) -> Result<(), KeyError> {
        Fold { index: self.index.unwrap_or(1), of: self.of }.check()
    }

    /// Whether it is the average of the runs of all folds.
    pub fn is_whole(self) -> bool {
        self.index.is_none()
    }
}

/// The rows to hold out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SplitPlan {
    /// The share of all rows that is the test split.
    pub test: f64,
    /// The share of the other rows that is the validation split.
    pub validation: f64,
    /// A fold as the test split, in place of a share.
    pub fold: Option<Fold>,
    /// A fold of the rows that are not tested on as the validation split, in place of a share.
    pub bag: Option<Bag>,
    /// The number of rows, besides those of the test split, that are used at all: the same share of every class, drawn at
    /// random, of a series the latest.
    pub limit: Option<u64>,
}

impl SplitPlan {
    /// The fold of the rows that are not tested on that is validated.
    pub(super) fn validated_fold(&self) -> Option<Fold> {
        let bag = self.bag?;
        Some(Fold { index: bag.index?, of: bag.of })
    }

    /// Checks that so many rows can be dealt to the folds of a bag.
    pub(super) fn check_bag(&self, rows: u64) -> Result<()> {
        let Some(bag) = self.bag.filter(|bag| bag.of > rows) else { return Ok(()) };
        let problem = format!(
            "deals {} to {} folds, each of which takes one at least; the largest bag here is {rows}",
            counted(rows, "row"),
            bag.of
        );
        Err(Error::key("data.bag", problem))
    }

    /// Whether any rows are held out.
    pub fn holds_out(&self) -> bool {
        self.test > 0.0 || self.validation > 0.0 || self.fold.is_some() || self.validated_fold().is_some()
    }
}

/// The effect of a limit on the number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    /// The rows that are trained on or validated.
    pub used: u64,
    /// The rows that would be without the limit.
    pub of: u64,
}

impl Limited {
    /// Logs how many rows are used.
    pub(crate) fn log(self) {
        let Self { used, of } = self;
        tracing::info!("data.limit: {used} of {} used", counted_are(of, "row"));
    }
}

/// The number of rows of each part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitSizes {
    /// Rows to train on.
    pub train: u64,
    /// Rows for validation.
    pub validation: u64,
    /// Rows of the test split.
    pub test: u64,
}

impl SplitSizes {
    /// An error if the plan leaves a part of `rows` rows empty.
    fn check(self, plan: &SplitPlan, rows: u64) -> Result<()> {
        let Self { train, validation, test } = self;
        let left = train + validation;
        if plan.fold.is_some() && (left == 0 || test == 0) {
            let problem = format!(
                "leaves {left} of {} to train on and {test} to test on; give fewer folds",
                counted(rows, "row")
            );
            return Err(Error::key("data.fold", problem));
        }
        if left == 0 || (plan.test > 0.0 && plan.fold.is_none() && test == 0) {
            let problem = format!(
                "is {}: of {} it leaves {left} to train on and {test} to test on; change the fraction",
                plan.test,
                counted(rows, "row")
            );
            return Err(Error::key("data.test", problem));
        }
        if let Some(fold) = plan.validated_fold().filter(|_| train == 0 || validation == 0) {
            let problem = format!(
                "makes {} folds of {}, which leaves one of them empty; make fewer",
                fold.of,
                counted(left, "row")
            );
            return Err(Error::key("data.bag", problem));
        }
        if train == 0 || (plan.validation > 0.0 && validation == 0) {
            let problem = format!(
                "is {}: of {} it leaves {train} to train on and {validation} to validate; change the fraction",
                plan.validation,
                counted(left, "row")
            );
            return Err(Error::key("data.validation", problem));
        }
        Ok(())
    }
}
