//! The role of each column of a table: target, split column, feature.

use super::census::{Census, ClassColumn, ClassSource};
use super::group::GroupColumns;
use super::named::{self, Named};
use super::options::{Options, Test};
use super::read::quoted;
use super::row::Cells;
use super::shown::shown;
use super::value::Value;
use super::weight::WeightColumn;
use super::{Opened, target};
use crate::data::preprocess::{NameRule, Preprocessing};
use crate::data::split::{Assigner, ColumnCounts, Part, SplitPlan, Stratum};
use crate::data::{Request, Task};
use crate::error::{Error, Result};

/// The columns of a table by role, as indices into its header.
#[derive(Debug)]
pub(super) struct ColumnRoles<'a> {
    pub(super) options: &'a Options,
    pub(super) table: &'a Opened,
    pub(super) request: &'a Request<'a>,
    pub(super) targets: Vec<usize>,
    /// The split column.
    split: Option<usize>,
    /// The column of the weights.
    pub(super) weight: Option<WeightColumn>,
    /// The columns of the groups.
    pub(super) group: Option<GroupColumns>,
    pub(super) features: Vec<usize>,
}

impl<'a> ColumnRoles<'a> {
    /// Finds the columns that the options name.
    ///
    /// # Errors
    /// A column that does not exist.
    pub(super) fn new(options: &'a Options, table: &'a Opened, request: &'a Request<'a>) -> Result<Self> {
        let (path, columns) = (table.path(), table.columns());
        let is_fitted = request.fitted.is_some();
        // A file for a trained run needs what the network reads, and not what the config sets aside.
        if !is_fitted {
            named::check_columns(options, path, columns)?;
        }
        let targets = target::places(path, &options.target.0, columns, is_fitted)?;
        if !is_fitted {
            named::check_kinds(options, request.task)?;
        }
        let split = |name: &String| {
            let named = Named { key: "data.split_column", name, role: "to split by" };
            named::place(path, columns, named, is_fitted)
        };
        let split = options.split_column.as_ref().map(split).transpose()?;
        let weight = WeightColumn::new(options, path, columns, is_fitted)?;
        let group = GroupColumns::new(options, path, columns, is_fitted)?;
        let names_groups = |column: usize| {
            group.as_ref().is_some_and(|group| group.has(column))
                && !GroupColumns::is_feature(options, &columns[column])
        };
        let is_other = |column: usize| {
            targets.contains(&column)
                || names_groups(column)
                || [split, weight.as_ref().map(|weight| weight.index)].contains(&Some(column))
        };
        let features = (0..columns.len()).filter(|column| !is_other(*column)).collect();
        Ok(Self { options, table, request, targets, split, weight, group, features })
    }

    /// The source of a row's class, if the task has classes.
    fn classes(&self) -> ClassSource<'_> {
        match (self.request.task, self.targets.as_slice()) {
            (Task::Classes { ignored, .. }, [index]) => {
                let (name, is_fitted) = (&self.table.columns()[*index], self.request.fitted.is_some());
                let rule = self.name_rule();
                ClassSource::Named(ClassColumn { index: *index, name, ignored, is_fitted, rule })
            }
            (Task::Classes { .. }, columns) => ClassSource::Probabilities(columns),
            (Task::Labels, [index]) => ClassSource::Label(*index),
            _ => ClassSource::None,
        }
    }

    /// How classes are named: as the run was trained, if it was.
    fn name_rule(&self) -> NameRule {
        let fitted = self.request.fitted.and_then(Preprocessing::table);
        fitted.map_or(NameRule::default(), |encoder| encoder.names)
    }

    /// The column of class names, if the task has classes.
    pub(super) fn class_column(&self) -> Option<usize> {
        match self.classes() {
            ClassSource::Named(column) => Some(column.index),
            ClassSource::None | ClassSource::Label(_) | ClassSource::Probabilities(_) => None,
        }
    }

    /// The stratum of a row.
    pub(super) fn stratum(&self, row: &impl Cells, census: &Census) -> Stratum {
        self.classes().stratum(row, &census.strata)
    }

    /// The stratum of all rows, where their cells do not decide about their parts.
    pub(super) fn only_stratum(&self) -> Option<Stratum> {
        let is_free = self.split_column().is_none()
            && self.group.is_none()
            && matches!(self.classes(), ClassSource::None);
        is_free.then_some(0)
    }

    /// Counts the rows: the first pass.
    pub(super) fn count(&self) -> Result<Census> {
        if let (Task::Classes { probabilities: false, .. }, [_, _, ..]) =
            (self.request.task, self.targets.as_slice())
        {
            let problem = "has several columns, but the loss takes one class per row; name one column";
            return Err(Error::key("data.target", problem));
        }
        let (path, classes) = (self.table.path(), self.classes());
        if let (ClassSource::None, Some(rows)) = (&classes, self.table.rows()) {
            return Census::of_rows(path, rows, self.table.left_out());
        }
        Census::take(path, classes, self.table.batches()?)
    }

    /// The rows to hold out.
    pub(super) fn split_plan(&self) -> SplitPlan {
        let test = if let Test::Share(share) = self.options.test { share } else { 0.0 };
        self.request.split_plan(test)
    }

    /// The assigner for the counted rows: by shares, by a fold, or by the split column.
    pub(super) fn assigner(&self, census: &Census, plan: &SplitPlan) -> Result<Assigner> {
        let seed = self.request.seed;
        if self.split_column().is_none() {
            if self.split.is_some() && self.request.fitted.is_none() {
                tracing::warn!(
                    "data.fold: the rows are dealt to the folds anew, whatever `data.split_column` says of them"
                );
            }
            return Assigner::new(plan, census.strata.counts(), seed);
        }
        let mut counts = ColumnCounts::new(census.strata.counts().len());
        let mut batches = self.table.batches()?;
        while let Some(batch) = batches.next()? {
            for row in batch.rows() {
                if let Some(part) = self.part_in_column(&row)? {
                    counts.add(part, self.stratum(&row, census));
                }
            }
        }
        counts.assigner(plan, seed)
    }

    /// The split column, unless folds replace it.
    pub(super) fn split_column(&self) -> Option<usize> {
        self.split.filter(|_| self.request.plan.fold.is_none())
    }

    /// The part to which the split column assigns a row.
    pub(super) fn part_in_column(&self, row: &impl Cells) -> Result<Option<Part>> {
        let Some(column) = self.split_column() else { return Ok(None) };
        let value = row.value(column);
        let part = if let Value::Text(text) = value { Part::named(text) } else { None };
        if part.is_none() {
            let problem = format!(
                "line {}, column {}: {} is not train, validation or test",
                row.line(),
                quoted(&self.table.columns()[column]),
                shown(value)
            );
            return Err(Error::data(self.table.path(), problem));
        }
        // A bag validates on folds of all rows that are not tested on.
        let is_pooled = part == Some(Part::Validation) && self.request.plan.bag.is_some();
        Ok(if is_pooled { Some(Part::Train) } else { part })
    }
}
