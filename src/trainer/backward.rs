//! The forward and backward pass of a batch, and the sum over its shards: see [`Shards`](crate::distributed::Shards).
//!
//! Each shard has gradients of its own, which are then added in a tree. Rows that depend on each other, as BatchNorm's do,
//! go through the network layer by layer, all shards together; other shards one after the other, in parts that fit the
//! cache. A batch that is not sharded is one shard.

use std::ops::Range;
use std::sync::Arc;

use candle_core::Tensor;

use super::executor::UpdateContext;
use super::learner::{Learner, Memory};
use super::update_batch::{Backward, UpdateBatch};
use crate::data::{self, Selection};
use crate::distributed::{Communicator, Shards};
use crate::error::{Error, Result};
use crate::kernels::{Scalar, ValueAndGrad, ranks};
use crate::nn::{Dense, GradWriter, Gradients, Tape};

/// The shards of a batch by the config.
pub(super) fn shards(count: usize, ranks: Arc<dyn Communicator>) -> Result<Shards> {
    Shards::new(count, ranks).map_err(|problem| Error::key("train.shards", problem))
}

/// A pass of a batch under way.
struct Pass<'a, 'm> {
    learner: &'a Learner,
    batch: &'a UpdateBatch<'a>,
    selection: Selection<'a>,
    context: UpdateContext<'a>,
    divisor: f64,
    /// The last part's rows, whose memory the next one takes.
    inputs: &'a mut Option<Tensor>,
    shards: Vec<ShardPass<'m>>,
}

/// The targets of a shard's rows, and how much the rows count.
struct LabelledRows {
    ys: Tensor,
    weights: Option<Tensor>,
}

/// The sums of a shard so far.
struct ShardPass<'m> {
    /// `None` before its first part.
    loss_sum: Option<Scalar>,
    writer: GradWriter<'m>,
}

impl Learner {
    /// Takes a batch through the network and back. Changes nothing of the network but running statistics. Returns the
    /// losses and gradients of each shard that this rank has, for [`Self::reduce`].
    pub(super) fn forward_backward<'m>(
        &self,
        batch: &UpdateBatch<'_>,
        context: UpdateContext<'_>,
        memory: &'m mut Memory,
    ) -> Result<Vec<Backward<'m>>> {
        let Memory { grads, more, inputs } = memory;
        if context.is_replayed() {
            let gradients = Gradients::Dense(grads.as_written());
            return Ok(vec![Backward { loss_sum: Scalar::Host(f64::NAN), gradients }]);
        }
        // The gradients of several parts are added up before the step.
        let is_one_part = self.shards.is_whole() && batch.rows.len() <= self.part(batch.data);
        let defers = self.defers && context.defers() && is_one_part;
        let first = if defers { grads.deferring_writer() } else { grads.writer() };
        let writers = std::iter::once(first).chain(more.iter_mut().map(|buffer| buffer.writer()));
        let shards = writers.take(self.shards.own());
        let shards = shards.map(|writer| ShardPass { loss_sum: None, writer }).collect();
        let (selection, divisor) = (context.rows(batch), self.loss.divisor(batch.total));
        let mut pass = Pass { learner: self, batch, selection, context, divisor, inputs, shards };
        for micro_batch in self.micro_batches(batch) {
            // A layer may end early, with an error of its own, once the batch is to be given up.
            let given_up = |error| if self.gives_up(batch, context) { Error::Interrupted } else { error };
            pass.run(micro_batch).map_err(given_up)?;
        }
        pass.shards.into_iter().map(|shard| shard.finish(self.shards.is_whole())).collect()
    }

    /// Adds up the losses and gradients of all shards, of this rank and the others.
    pub(super) fn reduce<'m>(&self, of_shards: Vec<Backward<'m>>) -> Result<Backward<'m>> {
        let (mut losses, mut gradients) = (Vec::new(), Vec::new());
        for shard in of_shards {
            if self.shards.is_whole() {
                return Ok(shard);
            }
            losses.push(shard.loss_sum.read()?);
            gradients.push(shard.gradients.into_dense()?);
        }
        Dense::sum(&gradients, &self.shards)?;
        let loss_sum = Scalar::Host(self.sum_losses(&losses)?);
        let sum = gradients.into_iter().next().ok_or(Error::Interrupted)?;
        Ok(Backward { loss_sum, gradients: Gradients::Dense(sum) })
    }

    /// Adds up the losses of the shards. The requests to a rank travel with them.
    fn sum_losses(&self, losses: &[f64]) -> Result<f64> {
        let asked = self.interruption.asked();
        let mut parts: Vec<Vec<f64>> = losses.iter().map(|loss| vec![*loss]).collect();
        for (part, shard) in parts.iter_mut().zip(0..) {
            part.extend(asked.iter().map(|asked| if shard == 0 { *asked } else { 0.0 }));
        }
        let sums = ranks::sum_numbers(parts, &self.shards)?;
        self.interruption.agree(sums.get(1..).unwrap_or_default());
        Ok(sums.first().copied().unwrap_or_default())
    }

    /// Agrees with the other ranks on what one of them may have been asked for.
    pub(super) fn agree(&self) -> Result<()> {
        if self.shards.ranks().size() > 1 {
            self.sum_losses(&vec![0.0; self.shards.own()])?;
        }
        Ok(())
    }
}

impl<'m> ShardPass<'m> {
    /// Adds the losses of a part.
    fn add(&mut self, loss_sum: Scalar) -> Result<()> {
        self.loss_sum = Some(match self.loss_sum.take() {
            None => loss_sum,
            Some(before) => before.plus(loss_sum)?,
        });
        Ok(())
    }

    /// The sums of the shard. One of several may have no rows; its gradients are then 0.
    fn finish(self, is_whole: bool) -> Result<Backward<'m>> {
        let gradients =
            if is_whole { self.writer.finish()? } else { Gradients::Dense(self.writer.finish_or_zero()?) };
        Ok(Backward { loss_sum: self.loss_sum.unwrap_or(Scalar::Host(0.0)), gradients })
    }
}

impl Pass<'_, '_> {
    /// Takes a micro-batch through the network and back.
    fn run(&mut self, micro_batch: Range<usize>) -> Result<()> {
        let start = micro_batch.start;
        let rows = self.learner.shards.rows(micro_batch.len()).into_iter();
        let rows: Vec<_> = rows.map(|rows| start + rows.start..start + rows.end).collect();
        if self.learner.network.couples_rows() && !self.learner.shards.is_whole() {
            return self.run_jointly(&rows);
        }
        (0..).zip(rows).try_for_each(|(shard, rows)| self.run_in_parts(shard, rows))
    }

    /// Takes one shard through the network and back, part by part.
    fn run_in_parts(&mut self, shard: usize, rows: Range<usize>) -> Result<()> {
        for range in self.learner.parts(self.batch.data, rows) {
            self.require_going_on(range.start)?;
            let reuses_memory = self.context.reuses_memory();
            // The tape of the last part is gone, and with it all that looked at its rows.
            let again = if reuses_memory { self.inputs.take() } else { None };
            let tape = self.tape(range.start);
            let part = self.batch.data.part(&self.selection, range, again)?;
            let shard = &mut self.shards[shard];
            let (learner, writer) = (self.learner, &shard.writer);
            let loss_sum = learner.part_backward(&part, self.divisor, tape, writer, &mut |_, _| Ok(()))?;
            shard.add(loss_sum)?;
            if reuses_memory {
                *self.inputs = Some(part.xs);
            }
        }
        Ok(())
    }

    /// Takes all shards through the network and back, layer by layer.
    fn run_jointly(&mut self, rows: &[Range<usize>]) -> Result<()> {
        let (mut inputs, mut targets, mut tapes) = (Vec::new(), Vec::new(), Vec::new());
        for rows in rows {
            self.require_going_on(rows.start)?;
            let data::Batch { xs, ys, weights } =
                self.batch.data.part(&self.selection, rows.clone(), None)?;
            inputs.push(xs);
            targets.push(LabelledRows { ys, weights });
            tapes.push(self.tape(rows.start).with_shards(self.learner.shards.clone()));
        }
        let outputs = self.learner.network.train_shards(inputs, &mut tapes)?;
        let mut values = Vec::new();
        for ((outputs, LabelledRows { ys, weights }), shard) in
            outputs.iter().zip(&targets).zip(&mut self.shards)
        {
            let loss = &self.learner.loss;
            let ValueAndGrad { value, grad } = loss.apply(outputs, ys, weights.as_ref(), self.divisor)?;
            shard.add(value)?;
            values.push(grad);
        }
        let writers: Vec<&GradWriter<'_>> = self.shards.iter().map(|shard| &shard.writer).collect();
        Tape::backward_jointly(tapes, values, &writers)
    }

    /// A tape for the rows of the batch from `start` on.
    fn tape(&self, start: usize) -> Tape {
        let tape = self.learner.tape(self.batch, start);
        let tape = tape.with_stop(self.learner.stop(self.batch, self.context));
        tape.with_step_tensor(self.context.step_counter().cloned())
    }

    /// Gives the batch up where it is asked to, but not while other ranks wait for this one.
    fn require_going_on(&self, start: usize) -> Result<()> {
        if start > 0 && self.learner.gives_up(self.batch, self.context) {
            return Err(Error::Interrupted);
        }
        Ok(())
    }
}
