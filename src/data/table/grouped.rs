//! The parts of a table's rows, where groups of them go to the same part.

use super::Opened;
use super::census::Census;
use super::group::GroupColumns;
use super::options::Options;
use super::roles::ColumnRoles;
use super::row::Cells;
use crate::data::split::{Assigner, GroupParts, Groups, Part, SplitPlan};
use crate::error::Result;
use crate::names::counted;

/// The part of every row of a table, by its group.
#[derive(Debug, Clone)]
pub(super) struct GroupedRows {
    columns: GroupColumns,
    parts: GroupParts,
}

impl GroupedRows {
    /// Assigns the groups of a table: a pass over it.
    ///
    /// # Errors
    /// A group's name that is missing, and fewer groups than parts.
    pub(super) fn new(
        columns: &GroupColumns,
        roles: &ColumnRoles<'_>,
        census: &Census,
        plan: &SplitPlan,
    ) -> Result<Self> {
        let mut groups = Groups::new(census.strata.counts().len());
        let mut batches = roles.table.batches()?;
        while let Some(batch) = batches.next()? {
            for row in batch.rows() {
                groups.add(&columns.of(&row)?, roles.stratum(&row, census));
            }
        }
        let parts = groups.assign(plan, roles.request.seed)?;
        if roles.request.fitted.is_none() {
            log(columns, &parts, plan);
        }
        Ok(Self { columns: columns.clone(), parts })
    }

    /// The part of a row.
    ///
    /// # Errors
    /// A group's name that is missing.
    pub(super) fn part(&self, row: &impl Cells) -> Result<Part> {
        // A file that has changed since its groups were counted has others.
        Ok(self.parts.part(&self.columns.of(row)?).unwrap_or(Part::Unused))
    }

    /// The number of rows of another table whose groups this one has, too.
    pub(super) fn shared_rows(&self, other: &Opened, options: &Options) -> Result<u64> {
        // A file to test on need not tell its groups.
        let Ok(Some(columns)) = GroupColumns::new(options, other.path(), other.columns(), true) else {
            return Ok(0);
        };
        let (mut batches, mut shared) = (other.batches()?, 0);
        while let Some(batch) = batches.next()? {
            for row in batch.rows() {
                let name = columns.of(&row).ok();
                shared += u64::from(name.is_some_and(|name| self.parts.part(&name).is_some()));
            }
        }
        Ok(shared)
    }

    /// An assigner of the rows to train on, of which a limit leaves some unused.
    pub(super) fn assigner(&self, plan: &SplitPlan, seed: u64) -> Result<Assigner> {
        self.parts.assigner(plan, seed)
    }
}

/// Logs how many groups each part has. The folds of a bag share the groups that are not tested on.
fn log(columns: &GroupColumns, parts: &GroupParts, plan: &SplitPlan) {
    let trained = match plan.bag.filter(|bag| bag.is_whole()) {
        Some(bag) => format!("in {} folds", bag.of),
        None => "to train on".to_owned(),
    };
    let uses =
        [(Part::Train, trained.as_str()), (Part::Validation, "to validate"), (Part::Test, "to test on")];
    let counts = uses.map(|(part, purpose)| (parts.count(part), purpose));
    let counts = counts.iter().filter(|(groups, _)| *groups > 0);
    let counts: Vec<String> =
        counts.map(|(groups, purpose)| format!("{} {purpose}", counted(*groups, "group"))).collect();
    tracing::info!("data.group {}: {}", columns.names(), counts.join(", "));
}
