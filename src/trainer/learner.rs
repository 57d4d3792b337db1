//! The forward and backward pass of a batch.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use candle_core::Tensor;

use super::executor::{UpdateContext, rows_at_once};
use super::interruption::Interruption;
use super::options::TrainOptions;
use super::outcome::Limits;
use super::update_batch::UpdateBatch;
use crate::data::{self, Dataset, Selection};
use crate::distributed::Shards;
use crate::error::{Error, Result};
use crate::kernels::{Scalar, ValueAndGrad};
use crate::loss::Losses;
use crate::model::{Network, OnLayer};
use crate::nn::{GradBuffer, GradWriter, Tape};

/// The parts of an update besides the optimizer. An update changes nothing here but the network's weights.
#[derive(Debug)]
pub(super) struct Learner {
    pub(super) network: Network,
    pub(super) loss: Losses,
    pub(super) options: TrainOptions,
    pub(super) seed: u64,
    /// Whether the gradients of linear layers may go straight into the weights: in plain descent, where clipping does not
    /// look at all of them first.
    pub(super) defers: bool,
    /// The parts of a batch, some of which may be other ranks'.
    pub(super) shards: Shards,
    /// Interrupts a batch before its next part.
    pub(super) interruption: Interruption,
}

/// The memory of a pass, used again by the next.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) grads: GradBuffer,
    /// The gradients of the shards after the first.
    pub(super) more: Vec<GradBuffer>,
    /// The last part's rows, whose memory the next one takes.
    pub(super) inputs: Option<Tensor>,
}

impl Learner {
    /// The limits that an update is checked against. The norm of the gradients costs one pass over them, which is little
    /// beside the products of a batch, but not beside those of a few rows.
    pub(super) fn limits(&self, batch: &UpdateBatch<'_>) -> Limits {
        const ROWS: usize = 16;
        const EVERY: u64 = 16;
        let wants_norm = batch.rows.len() >= ROWS || batch.time.step % EVERY == 1;
        Limits { clip: self.options.clip(), dtype: self.options.dtype, wants_norm }
    }

    /// Takes a part of a batch through the network and back, and returns the sum of its losses.
    pub(super) fn part_backward(
        &self,
        part: &data::Batch,
        divisor: f64,
        mut tape: Tape,
        writer: &GradWriter<'_>,
        on_layer: &mut OnLayer<'_>,
    ) -> Result<Scalar> {
        let outputs = self.network.train_observed(&part.xs, &mut tape, on_layer)?;
        let ValueAndGrad { value, grad } =
            self.loss.apply(&outputs, &part.ys, part.weights.as_ref(), divisor)?;
        tape.backward(grad, writer)?;
        Ok(value)
    }

    /// A tape for the rows of a batch from `start` on.
    pub(super) fn tape(&self, batch: &UpdateBatch<'_>, start: usize) -> Tape {
        Tape::new(self.seed, batch.time.step, start as u64).with_dropout(batch.dropout)
    }

    /// The divisor that turns the sum of these rows' losses into their mean.
    ///
    /// # Errors
    /// [`Error::NothingCounts`].
    pub(super) fn total(&self, selection: &Selection<'_>) -> Result<f64> {
        let targets = selection.targets();
        let total = self.loss.weighted_total(targets, selection.weights())?;
        if total == 0.0 || !self.loss.has_weight(targets)? { Err(Error::NothingCounts) } else { Ok(total) }
    }

    /// The flag that interrupts the pass of a batch between two layers. A rank must not leave the others to wait for it.
    pub(super) fn stop(
        &self,
        batch: &UpdateBatch<'_>,
        context: UpdateContext<'_>,
    ) -> Option<Arc<AtomicBool>> {
        let may_stop =
            batch.is_interruptible && context.is_interruptible() && self.shards.ranks().size() == 1;
        may_stop.then(|| Arc::clone(&self.interruption.stop))
    }

    /// Whether an update is abandoned before the optimizer changes a weight.
    pub(super) fn gives_up(&self, batch: &UpdateBatch<'_>, context: UpdateContext<'_>) -> bool {
        self.shards.ranks().size() == 1 && self.is_interrupted(batch, context)
    }

    pub(super) fn is_interrupted(&self, batch: &UpdateBatch<'_>, context: UpdateContext<'_>) -> bool {
        batch.is_interruptible && context.is_interruptible() && self.interruption.is_stopping()
    }

    /// The most rows that go through the network together: a micro-batch, and where the rows are independent of each
    /// other no more than fit the cache.
    pub(super) fn part(&self, data: &Dataset) -> usize {
        let micro_batch = self.options.batch_size.rows(data.len());
        let most = rows_at_once(self.network.params().device());
        if self.network.couples_rows() { micro_batch } else { micro_batch.min(most) }
    }

    /// The micro-batches of an update: where their rows are in it.
    pub(super) fn micro_batches(
        &self,
        batch: &UpdateBatch<'_>,
    ) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, size) = (batch.rows.len(), self.options.batch_size.rows(batch.data.len()));
        (0..rows).step_by(size).map(move |start| start..rows.min(start + size))
    }

    /// The parts of these rows of a micro-batch.
    pub(super) fn parts(
        &self,
        data: &Dataset,
        rows: Range<usize>,
    ) -> impl Iterator<Item = Range<usize>> + use<> {
        let (part, end) = (self.part(data), rows.end);
        rows.step_by(part).map(move |start| start..end.min(start + part))
    }
}
