//! The forward and backward pass of a batch.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use candle_core::Tensor;

use super::executor::{UpdateContext, rows_at_once};
use super::interruption::Interruption;
use super::options::TrainOptions;
use super::outcome::Limits;
use super::update_batch::{Backward, UpdateBatch};
use crate::data::{self, Dataset, Selection};
use crate::distributed::Shards;
use crate::error::{Error, Result};
use crate::kernels::{Scalar, ValueAndGrad};
use crate::loss::Losses;
use crate::model::{Network, OnLayer};
use crate::nn::{GradBuffer, GradWriter, Gradients, Tape};

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

    /// Runs a batch in parts through the network and back. Changes nothing in the network but running statistics.
    pub(super) fn backward<'m>(
        &self,
        batch: &UpdateBatch<'_>,
        context: UpdateContext<'_>,
        memory: &'m mut Memory,
    ) -> Result<Backward<'m>> {
        if self.shards.is_whole() {
            return self.backward_of_whole(batch, context, memory);
        }
        self.backward_in_shards(batch, context, memory)
    }

    /// As [`Self::backward`], for a batch that is not sharded.
    pub(super) fn backward_of_whole<'m>(
        &self,
        batch: &UpdateBatch<'_>,
        context: UpdateContext<'_>,
        memory: &'m mut Memory,
    ) -> Result<Backward<'m>> {
        let Memory { grads, inputs, .. } = memory;
        if context.is_replayed() {
            let gradients = Gradients::Dense(grads.as_written());
            return Ok(Backward { loss_sum: Scalar::Host(f64::NAN), gradients });
        }
        let divisor = self.loss.divisor(batch.total);
        let reuses_memory = context.reuses_memory();
        let selection = context.rows(batch);
        let mut loss_sum = Scalar::Host(0.0);
        // The gradients of parts are added up first.
        let defers = self.defers && context.defers() && batch.rows.len() <= self.part(batch.data);
        let writer = if defers { grads.deferring_writer() } else { grads.writer() };
        for (start, rows) in self.parts(batch.data, batch.rows) {
            if start > 0 && self.is_interrupted(batch, context) {
                return Err(Error::Interrupted);
            }
            // The tape of the last part is gone, and with it all that looked at its rows.
            let range = start..start + rows.len();
            let again = if reuses_memory { inputs.take() } else { None };
            let part = batch.data.part(&selection, range, again)?;
            let tape = self.tape(batch, start).with_stop(self.stop(batch, context));
            let tape = tape.with_step_tensor(context.step_counter().cloned());
            let sum = self.part_backward(&part, divisor, tape, &writer, &mut |_, _| Ok(()))?;
            loss_sum = if start == 0 { sum } else { loss_sum.plus(sum)? };
            if reuses_memory {
                *inputs = Some(part.xs);
            }
        }
        Ok(Backward { loss_sum, gradients: writer.finish()? })
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
        let ValueAndGrad { value, grad } = self.loss.apply(&outputs, &part.ys, divisor)?;
        tape.backward(grad, writer)?;
        Ok(value)
    }

    /// A tape for the rows of a batch from `start` on.
    pub(super) fn tape(&self, batch: &UpdateBatch<'_>, start: usize) -> Tape {
        Tape::new(self.seed, batch.time.step, start as u64)
    }

    /// The divisor that turns the sum of these rows' losses into their mean.
    ///
    /// # Errors
    /// [`Error::NothingCounts`].
    pub(super) fn total(&self, selection: &Selection<'_>) -> Result<f64> {
        let total = self.loss.total(selection.targets())?;
        if total == 0.0 { Err(Error::NothingCounts) } else { Ok(total) }
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

    /// The parts of an update with their places in it.
    pub(super) fn parts<'b>(
        &self,
        data: &Dataset,
        rows: &'b [u32],
    ) -> impl Iterator<Item = (usize, &'b [u32])> + use<'b> {
        let micro_batch = self.options.batch_size.rows(data.len());
        let part = self.part(data);
        rows.chunks(micro_batch).enumerate().flat_map(move |(index, batch)| {
            let place = move |(inner, rows)| (index * micro_batch + inner * part, rows);
            batch.chunks(part).enumerate().map(place)
        })
    }
}
