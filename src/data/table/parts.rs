//! The last pass over a table: encodes its rows, each into its part.

use super::collect::{Collector, Duplicates, form};
use super::encoded_size::EncodedSize;
use super::plan::TablePlan;
use super::roles::ColumnRoles;
use super::row::Row;
use super::{Opened, RowEncoder};
use crate::data::preprocess::{TableEncoder, Target};
use crate::data::split::{Part, SplitSizes};
use crate::data::stored::StoredWriter;
use crate::data::{EncodedRows, Task};
use crate::error::{Error, Result};

/// The encoded rows of each part.
pub(super) struct EncodedParts {
    pub(super) train: Option<EncodedRows>,
    pub(super) validation: Option<EncodedRows>,
    pub(super) test: Option<EncodedRows>,
    /// The held-out rows with the features of a training row.
    pub(super) duplicates: u64,
}

/// Encodes all rows: the last pass.
pub(super) fn encode(plan: &TablePlan<'_>, fitted: &TableEncoder) -> Result<EncodedParts> {
    let (roles, test) = (&plan.roles, plan.test_table()?);
    let unused = plan.assigner.limited().map_or(0, |limited| limited.of - limited.used);
    let all = plan.census.rows - unused + test.as_ref().map_or(Ok(0), count)?;
    let mut writer = PartsWriter::new(plan, fitted, all)?;
    let records = roles.table.records()?;
    let mut encoder = RowEncoder::new(fitted, roles.table.path(), &*records, true)?;
    plan.pass(|row, part| writer.add(&mut encoder, row, part))?;
    encoder.unseen().iter().for_each(|warning| tracing::warn!("{warning}"));
    if let Some(table) = &test {
        let mut records = table.records()?;
        let mut encoder = RowEncoder::new(fitted, table.path(), &*records, true)?;
        let mut row = Row::default();
        while records.next(&mut row)? {
            writer.add(&mut encoder, &row, Part::Test)?;
        }
        encoder.unseen().iter().for_each(|warning| tracing::warn!("{warning}"));
    }
    let parts = writer.finish()?;
    if parts.test.is_none() && test.is_some() {
        return Err(Error::key("data.test", "names a file without rows"));
    }
    Ok(parts)
}

/// The number of rows of a table.
fn count(table: &Opened) -> Result<u64> {
    let (mut records, mut row, mut rows) = (table.records()?, Row::default(), 0);
    while records.next(&mut row)? {
        rows += 1;
    }
    Ok(rows)
}

/// Whether the rows are kept in memory and not in a file. Logs their size, and checks that the file fits its folder.
fn in_memory(size: EncodedSize, roles: &ColumnRoles<'_>) -> Result<bool> {
    let in_memory = size.fits(roles.options.memory);
    if !in_memory {
        size.check(roles.table.path(), StoredWriter::free())?;
    }
    if roles.request.fitted.is_none() {
        let place = StoredWriter::place();
        let place = if in_memory {
            "in memory".to_owned()
        } else {
            format!("in a temporary file in {}", place.display())
        };
        tracing::info!("{}: {} {place}", roles.table.path().display(), size.described());
    }
    Ok(in_memory)
}

/// Encodes rows into the collectors of their parts.
struct PartsWriter<'a> {
    target: &'a Target,
    task: Task,
    train: Collector,
    validation: Collector,
    test: Collector,
    duplicates: Duplicates,
    features: Vec<f64>,
    targets: Vec<f64>,
}

impl<'a> PartsWriter<'a> {
    /// A writer of `rows` rows in all.
    fn new(plan: &TablePlan<'_>, fitted: &'a TableEncoder, rows: u64) -> Result<Self> {
        let roles = &plan.roles;
        let targets = if roles.class_column().is_some() { 0 } else { fitted.target.width() };
        let form = form(fitted.features(), targets, roles.request.dtype);
        let in_memory = in_memory(EncodedSize { form, rows }, roles)?;
        let SplitSizes { train, validation, test } = plan.assigner.sizes();
        Ok(Self {
            target: &fitted.target,
            task: roles.request.task,
            train: Collector::new(form, train, in_memory)?,
            validation: Collector::new(form, validation, in_memory)?,
            test: Collector::new(form, test, in_memory)?,
            duplicates: Duplicates::new(rows),
            features: Vec::new(),
            targets: Vec::new(),
        })
    }

    fn add(&mut self, encoder: &mut RowEncoder<'_>, row: &Row, part: Part) -> Result<()> {
        let collector = match part {
            Part::Train => &mut self.train,
            Part::Validation => &mut self.validation,
            Part::Test => &mut self.test,
            Part::Unused => return Ok(()),
        };
        encoder.features(row, &mut self.features)?;
        self.duplicates.add(&self.features, part == Part::Train);
        if let (Target::Classes { .. }, Task::Classes { ignored, .. }) = (self.target, self.task) {
            return collector.add(&self.features, &[], encoder.class(row, ignored)?);
        }
        encoder.targets(row, &mut self.targets)?;
        collector.add(&self.features, &self.targets, 0)
    }

    fn finish(self) -> Result<EncodedParts> {
        Ok(EncodedParts {
            train: self.train.finish()?,
            validation: self.validation.finish()?,
            test: self.test.finish()?,
            duplicates: self.duplicates.count(),
        })
    }
}
