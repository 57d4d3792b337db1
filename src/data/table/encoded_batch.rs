//! The rows of a batch, encoded each into its part.

use super::RowEncoder;
use super::batch::BatchRow;
use super::collect::{Duplicates, RowBuffer};
use super::plan::AssignedBatch;
use super::weight::WeightColumn;
use crate::data::split::Part;
use crate::data::stored::Form;
use crate::error::Result;

/// The form of an encoded row.
#[derive(Clone)]
pub(super) struct RowForm {
    /// The number of a row without a class, where the target is one.
    pub(super) ignored: Option<i64>,
    pub(super) form: Form,
    /// No rows yet; nothing where no rows are held out.
    pub(super) duplicates: Option<Duplicates>,
}

/// The rows of a batch, and the encoder with the odd cells that it has seen.
pub(super) struct FinishedBatch<'a> {
    pub(super) encoder: RowEncoder<'a>,
    pub(super) rows: Result<EncodedBatch>,
}

/// The rows of a batch.
pub(super) struct EncodedBatch {
    pub(super) train: RowBuffer,
    pub(super) validation: RowBuffer,
    pub(super) test: RowBuffer,
    pub(super) duplicates: Option<Duplicates>,
    /// The targets of the row that was added last.
    targets: Vec<f64>,
}

impl AssignedBatch {
    /// Encodes the rows with an encoder that has seen no others.
    pub(super) fn encode<'a>(
        &self,
        form: &RowForm,
        weight: Option<&WeightColumn>,
        mut encoder: RowEncoder<'a>,
    ) -> FinishedBatch<'a> {
        let rows = self.rows(form, weight, &mut encoder);
        encoder.end_batch();
        FinishedBatch { encoder, rows }
    }

    /// Whether a row is trained on. Where nothing is held out the rows may be another file's, which is evaluated.
    fn trains(&self, row: usize, form: &RowForm, weight: Option<&WeightColumn>) -> bool {
        let counts = |weight: &WeightColumn| weight.of(&self.batch.row(row)).is_ok_and(|weight| weight > 0.0);
        self.parts[row] == Part::Train && form.duplicates.is_some() && weight.is_none_or(counts)
    }

    fn rows(
        &self,
        form: &RowForm,
        weight: Option<&WeightColumn>,
        encoder: &mut RowEncoder<'_>,
    ) -> Result<EncodedBatch> {
        let mut encoded = EncodedBatch::new(form.form, &self.parts, form.duplicates.clone());
        let mut add = |encoder: &mut RowEncoder<'_>, row: usize, features: &[f64]| -> Result<()> {
            let trains = self.trains(row, form, weight);
            if trains {
                encoder.see_training(&self.batch.row(row), features);
            }
            let target = RowTarget { row: self.batch.row(row), encoder, ignored: form.ignored, weight };
            encoded.add(self.parts[row], features, &target)?;
            if trains {
                encoder.see_trained_targets(&self.batch.row(row), &encoded.targets);
            } else if self.parts[row] != Part::Train {
                encoder.see_held_out(&self.batch.row(row), &encoded.targets);
            }
            Ok(())
        };
        let (mut block, mut features) = (Vec::new(), Vec::new());
        let used: Vec<usize> = (0..self.parts.len()).filter(|row| self.parts[*row] != Part::Unused).collect();
        encoder.begin_batch(&self.batch, self.parts.len());
        for rows in used.chunks(encoder.block_rows()) {
            if encoder.block(&self.batch, rows, &mut block).is_ok() {
                for (row, features) in rows.iter().zip(block.chunks_exact(form.form.features)) {
                    add(encoder, *row, features)?;
                }
            } else {
                // One of these rows ends with its error: that of the first which has one, its target's before another's
                // features.
                for row in rows {
                    encoder.features(&self.batch.row(*row), &mut features)?;
                    add(encoder, *row, &features)?;
                }
            }
        }
        Ok(encoded)
    }
}

/// What a row is trained to, and how much it counts.
struct RowTarget<'a, 'e> {
    row: BatchRow<'a>,
    encoder: &'a RowEncoder<'e>,
    /// The number of a row without a class, where the target is one.
    ignored: Option<i64>,
    weight: Option<&'a WeightColumn>,
}

impl EncodedBatch {
    fn new(form: Form, parts: &[Part], duplicates: Option<Duplicates>) -> Self {
        let buffer = |part: Part| RowBuffer::new(form, parts.iter().filter(|own| **own == part).count());
        let (train, validation, test) = (buffer(Part::Train), buffer(Part::Validation), buffer(Part::Test));
        Self { train, validation, test, duplicates, targets: Vec::new() }
    }

    /// Adds a row of a part.
    fn add(&mut self, part: Part, features: &[f64], target: &RowTarget<'_, '_>) -> Result<()> {
        let RowTarget { row, encoder, ignored, weight } = target;
        if let Some(duplicates) = &mut self.duplicates {
            duplicates.add(features, part == Part::Train);
        }
        let buffer = match part {
            Part::Train => &mut self.train,
            Part::Validation => &mut self.validation,
            Part::Test => &mut self.test,
            Part::Unused => return Ok(()),
        };
        if let Some(ignored) = ignored {
            buffer.add(features, &[], encoder.class(row, *ignored)?);
        } else {
            encoder.targets(row, &mut self.targets)?;
            buffer.add(features, &self.targets, 0);
        }
        if let Some(weight) = weight {
            buffer.weigh(weight.of(row)?);
        }
        Ok(())
    }
}
