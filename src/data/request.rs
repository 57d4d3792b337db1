//! A caller's request to a source.

use std::fmt;

use candle_core::DType;

use super::split::{RULES, SplitPlan};
use super::{InputKind, Preparation, Preprocessing, Task};
use crate::distributed::{Communicator, Single};

/// A caller's request to a source: task, dtype, and the preprocessing to apply.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The task, which decides the type of the targets.
    pub task: Task,
    /// Whether numeric targets may be standardised: `(y - mean) / std`.
    pub standardize: bool,
    /// The input shape that the model expects.
    pub input: InputKind,
    /// The most numbers of a row that the model can take.
    pub widest: usize,
    /// The seed of everything random.
    pub seed: u64,
    /// The dtype of a batch.
    pub dtype: DType,
    /// The options that all data sets share.
    pub plan: &'a Preparation,
    /// The preprocessing of an earlier run, to be applied instead of fitted anew.
    pub fitted: Option<&'a Preprocessing>,
    /// The ranks that make the same request at the same time, and may share the reading out.
    pub ranks: &'a dyn Communicator,
}

impl<'a> Request<'a> {
    /// A request for rows of features in f32; change the fields for anything else.
    pub fn new(task: Task, plan: &'a Preparation) -> Self {
        Self {
            task,
            standardize: false,
            input: InputKind::Features,
            widest: usize::MAX,
            seed: 0,
            dtype: DType::F32,
            plan,
            fitted: None,
            ranks: &Single,
        }
    }

    /// The splits to make, with a fraction `test` of all rows as the test split. Warns if an earlier version of the
    /// program split the rows of the run by other rules.
    pub(crate) fn split_plan(&self, test: f64) -> SplitPlan {
        let limit = self.plan.limit.map(|limit| limit as u64);
        let (validation, fold, bag) = (self.plan.validation, self.plan.fold, self.plan.bag);
        let plan = SplitPlan { test, validation, fold, bag, limit };
        if plan.holds_out() && self.fitted.is_some_and(|fitted| self.split_differs(fitted.split_rules)) {
            tracing::warn!(
                "an earlier version made this run and assigned rows to splits by other rules: held-out rows may include \
                 rows that it was trained on; train it again to compare its results"
            );
        }
        plan
    }

    /// The use of the rows that are not held out: a run that has fitted its preprocessing scores them.
    pub(crate) fn row_use(&self) -> RowUse {
        self.fitted.map_or(RowUse::Train, |_| RowUse::Score)
    }

    /// Whether the rules of this version held other rows out.
    fn split_differs(&self, version: u32) -> bool {
        match version {
            // Pictures are read by the rules of their run.
            3 | RULES => false,
            2 => self.plan.limit.is_some() || self.task == Task::Labels,
            _ => true,
        }
    }
}

/// The use of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowUse {
    /// A run is fitted on them.
    Train,
    /// A fitted run scores them.
    Score,
    /// A run is tested on them.
    Test,
}

impl fmt::Display for RowUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "to train on",
            Self::Score => "to score",
            Self::Test => "to test on",
        })
    }
}
