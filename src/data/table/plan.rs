//! A table that is read in several passes, each of which assigns the rows to their parts.

use std::sync::Arc;

use super::batch::RecordBatch;
use super::census::Census;
use super::grouped::GroupedRows;
use super::opened::{Batches, Opened};
use super::options::{Options, Test};
use super::read::{Input, TableFile};
use super::roles::ColumnRoles;
use crate::data::preprocess::TableEncoder;
use crate::data::split::{Assigner, Part};
use crate::distributed::Single;
use crate::error::Result;

/// Some rows and the part of each.
pub(super) struct AssignedBatch {
    pub(super) batch: Arc<RecordBatch>,
    pub(super) parts: Vec<Part>,
}

/// How the rows of a table are assigned to parts and encoded.
pub(super) struct TablePlan<'a> {
    pub(super) roles: ColumnRoles<'a>,
    pub(super) census: Census,
    pub(super) assigner: Assigner,
    /// The parts of groups of rows, if they go together.
    groups: Option<GroupedRows>,
}

impl<'a> TablePlan<'a> {
    /// Counts the rows of each class, and decides how to assign them.
    pub(super) fn new(roles: ColumnRoles<'a>) -> Result<Self> {
        let census = roles.count()?;
        let plan = roles.split_plan();
        let grouped = |columns| GroupedRows::new(columns, &roles, &census, &plan);
        let groups = roles.group.as_ref().map(grouped).transpose()?;
        let assigner = match &groups {
            Some(groups) => groups.assigner(&plan, roles.request.seed)?,
            None => roles.assigner(&census, &plan)?,
        };
        Ok(Self { roles, census, assigner, groups })
    }

    /// The rows of the test file whose groups are among those of the rows that are not tested on.
    pub(super) fn shared_rows(&self) -> Result<u64> {
        let Some(groups) = &self.groups else { return Ok(0) };
        let test = self.test_table(None)?;
        test.map_or(Ok(0), |test| groups.shared_rows(&test, self.roles.options))
    }

    /// Whether cells of the rows decide about their parts.
    pub(super) fn is_by_cells(&self) -> bool {
        self.groups.is_some() || self.roles.split_column().is_some()
    }

    /// Calls `see` with every batch and the parts of its rows.
    pub(super) fn pass(&self, mut see: impl FnMut(AssignedBatch) -> Result<()> + Send) -> Result<()> {
        let see = |batches: Vec<AssignedBatch>| batches.into_iter().try_for_each(&mut see);
        self.pass_over(self.roles.table.batches()?, 1, see)
    }

    /// The same for the last time, with so many batches at once.
    pub(super) fn last_pass(
        &self,
        together: usize,
        see: impl FnMut(Vec<AssignedBatch>) -> Result<()> + Send,
    ) -> Result<()> {
        self.pass_over(self.roles.table.last_batches()?, together, see)
    }

    fn pass_over(
        &self,
        mut batches: Batches,
        together: usize,
        mut see: impl FnMut(Vec<AssignedBatch>) -> Result<()> + Send,
    ) -> Result<()> {
        let (mut assigner, mut failed) = (self.assigner.clone(), None);
        let mut next = || {
            let mut read = Vec::with_capacity(together);
            while read.len() < together && failed.is_none() {
                match self.next_batch(&mut batches, &mut assigner) {
                    Ok(Some(batch)) => read.push(batch),
                    Ok(None) => break,
                    Err(error) => failed = Some(error),
                }
            }
            // The rows before an error are seen first.
            if read.is_empty() { failed.take().map_or(Ok(read), Err) } else { Ok(read) }
        };
        let mut ahead = next()?;
        while !ahead.is_empty() {
            let (seen, more) = rayon::join(|| see(ahead), &mut next);
            seen?;
            ahead = more?;
        }
        Ok(())
    }

    /// The next rows and their parts; none at the end.
    fn next_batch(&self, batches: &mut Batches, assigner: &mut Assigner) -> Result<Option<AssignedBatch>> {
        let Some(batch) = batches.next()? else { return Ok(None) };
        let rows = batch.rows().len();
        if let Some(stratum) = self.roles.only_stratum() {
            let parts = (0..rows).map(|_| assigner.assign(stratum)).collect();
            return Ok(Some(AssignedBatch { batch, parts }));
        }
        let mut parts = Vec::with_capacity(rows);
        for row in batch.rows() {
            let given = match &self.groups {
                Some(groups) => Some(groups.part(&row)?),
                None => self.roles.part_in_column(&row)?,
            };
            parts.push(match given {
                None | Some(Part::Train) => assigner.assign(self.roles.stratum(&row, &self.census)),
                Some(part) => part,
            });
        }
        Ok(Some(AssignedBatch { batch, parts }))
    }

    /// The test file, unless folds replace it. Where the other table is kept as columns and `fitted` will encode the rows, it is
    /// kept, too.
    pub(super) fn test_table(&self, fitted: Option<&TableEncoder>) -> Result<Option<Opened>> {
        let ColumnRoles { options, table, request, .. } = &self.roles;
        match &options.test {
            Test::File(path) if request.plan.fold.is_none() => {
                let format = Options::format_of(path, table.format);
                let input = Input::File(path.clone());
                if let Some(fitted) = fitted.filter(|_| table.is_kept()) {
                    let mut wanted = options.wanted(request);
                    wanted.text.extend(fitted.named_columns().cloned());
                    let dialect = options.dialect(request.task);
                    // Each rank by itself: another one may have no room to keep the file.
                    let file = TableFile { input: &input, format, dialect: &dialect, ranks: &Single };
                    let kept = Opened::kept_with(&file, wanted, options.memory);
                    if let Ok(Some(kept)) = kept {
                        return Ok(Some(kept));
                    }
                }
                let columns = Some(table.columns());
                Opened::new(input, format, options.dialect(request.task), columns).map(Some)
            }
            _ => Ok(None),
        }
    }
}
