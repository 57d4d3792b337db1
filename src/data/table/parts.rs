//! The last pass over a table: encodes its rows, each into its part.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::collect::{Collector, Duplicates, form};
use super::encoded_batch::{EncodedBatch, FinishedBatch, RowForm};
use super::encoded_size::EncodedSize;
use super::options::Options;
use super::plan::{AssignedBatch, TablePlan};
use super::read::quoted;
use super::roles::ColumnRoles;
use super::weight::WeightColumn;
use super::{Opened, RowEncoder};
use crate::data::preprocess::{TableEncoder, Target};
use crate::data::split::{Part, SplitSizes};
use crate::data::stored::StoredWriter;
use crate::data::{EncodedRows, Task};
use crate::error::{Error, Result};
use crate::names::{first_few, with_verb};

/// The batches that are encoded together while as many are read: one for each thread, which does not change the result.
fn together() -> usize {
    rayon::current_num_threads().clamp(4, 8)
}

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
    let (roles, test) = (&plan.roles, plan.test_table(Some(fitted))?);
    let unused = plan.assigner.limited().map_or(0, |limited| limited.of - limited.used);
    let all = plan.census.rows - unused + test.as_ref().map_or(Ok(0), count)?;
    let mut writer = PartsWriter::new(plan, fitted, all, test.is_some())?;
    let mut encoder = BatchEncoder::new(&mut writer, fitted, roles.table, roles.options)?;
    plan.last_pass(together(), |batches| encoder.encode(&batches))?;
    encoder.finish()?;
    if let Some(table) = &test {
        let mut batches = table.batches()?;
        let mut encoder = BatchEncoder::new(&mut writer, fitted, table, roles.options)?;
        let mut waiting = Vec::with_capacity(together());
        while let Some(batch) = batches.next()? {
            let parts = vec![Part::Test; batch.rows().len()];
            waiting.push(AssignedBatch { batch, parts });
            if waiting.len() == together() {
                encoder.encode(&waiting)?;
                waiting.clear();
            }
        }
        encoder.encode(&waiting)?;
        encoder.finish()?;
        say_left_out(table, batches.left_out(), roles.options);
    }
    let parts = writer.finish()?;
    if parts.test.is_none() && test.is_some() {
        let target = if roles.options.drop_missing_target { " that have a target" } else { "" };
        return Err(Error::key("data.test", format!("names a file without rows{target}")));
    }
    Ok(parts)
}

/// Says how many rows of a file have no target.
pub(super) fn say_left_out(table: &Opened, left_out: u64, options: &Options) {
    if left_out > 0 {
        let names: Vec<String> = options.target.0.iter().map(|name| quoted(name)).collect();
        tracing::info!(
            "{}: {} left out, without a value of {}",
            table.path().display(),
            with_verb(left_out, "row", ["is", "are"]),
            first_few(names)
        );
    }
}

/// The number of rows of a table.
fn count(table: &Opened) -> Result<u64> {
    if let Some(rows) = table.rows() {
        return Ok(rows);
    }
    let (mut batches, mut rows) = (table.batches()?, 0);
    while let Some(batch) = batches.next()? {
        rows += batch.rows().len() as u64;
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
        size.log(roles.table.path(), in_memory);
    }
    Ok(in_memory)
}

/// The rows of all parts.
struct PartsWriter {
    rows: RowForm,
    train: Collector,
    validation: Collector,
    test: Collector,
    duplicates: Option<Duplicates>,
}

impl PartsWriter {
    /// A writer of `rows` rows in all, of which those of another table are tested on, if there is one.
    fn new(plan: &TablePlan<'_>, fitted: &TableEncoder, rows: u64, has_test_table: bool) -> Result<Self> {
        let roles = &plan.roles;
        let targets = if roles.class_column().is_some() { 0 } else { fitted.target.width() };
        let form = form(fitted.features(), targets, roles.request.dtype);
        let in_memory = in_memory(EncodedSize { form, rows }, roles)?;
        let SplitSizes { train, validation, test } = plan.assigner.sizes();
        let ignored = match (&fitted.target, roles.request.task) {
            (Target::Classes { .. }, Task::Classes { ignored, .. }) => Some(ignored),
            _ => None,
        };
        let holds_out = has_test_table || validation + test > 0 || plan.is_by_cells();
        let duplicates = holds_out.then(|| Duplicates::new(rows));
        Ok(Self {
            rows: RowForm { ignored, form, duplicates: duplicates.clone() },
            train: Collector::new(form, train, in_memory)?,
            validation: Collector::new(form, validation, in_memory)?,
            test: Collector::new(form, test, in_memory)?,
            duplicates,
        })
    }

    fn append(&mut self, encoded: EncodedBatch) -> Result<()> {
        self.train.append(&encoded.train)?;
        self.validation.append(&encoded.validation)?;
        self.test.append(&encoded.test)?;
        if let (Some(own), Some(more)) = (&mut self.duplicates, encoded.duplicates) {
            own.append(more);
        }
        Ok(())
    }

    fn finish(self) -> Result<EncodedParts> {
        Ok(EncodedParts {
            train: self.train.finish()?,
            validation: self.validation.finish()?,
            test: self.test.finish()?,
            duplicates: self.duplicates.map_or(0, Duplicates::count),
        })
    }
}

/// Encodes the batches of a table, several at a time.
struct BatchEncoder<'a> {
    writer: &'a mut PartsWriter,
    encoder: RowEncoder<'a>,
    weight: Option<WeightColumn>,
    /// Batches that were encoded and not written.
    encoded: Vec<FinishedBatch<'a>>,
}

impl<'a> BatchEncoder<'a> {
    fn new(
        writer: &'a mut PartsWriter,
        fitted: &'a TableEncoder,
        table: &Opened,
        options: &Options,
    ) -> Result<Self> {
        let encoder = RowEncoder::new(fitted, table.path(), table.columns(), true)?;
        let weight = WeightColumn::new(options, table.path(), table.columns(), true)?;
        Ok(Self { writer, encoder, weight, encoded: Vec::new() })
    }

    /// Encodes batches, and writes those that were encoded before.
    fn encode(&mut self, batches: &[AssignedBatch]) -> Result<()> {
        let Self { writer, encoder, weight, encoded } = self;
        let (form, fresh) = (writer.rows.clone(), encoder.without_odd_cells());
        let one = |batch: &AssignedBatch| batch.encode(&form, weight.as_ref(), fresh.clone());
        let before = std::mem::take(encoded);
        let write = || {
            for FinishedBatch { encoder: more, rows } in before {
                writer.append(rows?)?;
                encoder.add_odd_cells(more);
            }
            Ok(())
        };
        if let [only] = batches {
            encoded.push(one(only));
            return write();
        }
        let (finished, written) = rayon::join(|| batches.par_iter().map(one).collect(), write);
        *encoded = finished;
        written
    }

    /// Encodes and writes the last batches, and warns of odd cells.
    fn finish(mut self) -> Result<()> {
        self.encode(&[])?;
        self.encoder.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(())
    }
}
