//! The forward and backward pass of a batch in shards: see [`Shards`](crate::distributed::Shards).
//!
//! Each shard has gradients of its own, which are then added in a tree. Rows that depend on each other, as BatchNorm's do,
//! go through the network layer by layer, all shards together; other shards one after the other, in parts that fit the
//! cache.

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

/// A pass of a batch in shards, under way.
struct Pass<'a> {
    learner: &'a Learner,
    batch: &'a UpdateBatch<'a>,
    selection: Selection<'a>,
    context: UpdateContext<'a>,
    divisor: f64,
    /// The last part's rows, whose memory the next one takes.
    inputs: &'a mut Option<Tensor>,
}

impl Learner {
    /// Takes a batch through the network and back, shard by shard, and adds up what they give.
    pub(super) fn backward_in_shards<'m>(
        &self,
        batch: &UpdateBatch<'_>,
        context: UpdateContext<'_>,
        memory: &'m mut Memory,
    ) -> Result<Backward<'m>> {
        let Memory { grads, more, inputs } = memory;
        let buffers = std::iter::once(grads).chain(more);
        let writers: Vec<GradWriter<'m>> = buffers.map(|buffer| buffer.writer()).collect();
        let mut losses = vec![0.0; writers.len()];
        let (selection, divisor) = (context.rows(batch), self.loss.divisor(batch.total));
        let mut pass = Pass { learner: self, batch, selection, context, divisor, inputs };
        for micro_batch in self.micro_batches(batch) {
            let start = micro_batch.start;
            let shards = self.shards.rows(micro_batch.len()).into_iter();
            let shards: Vec<_> = shards.map(|rows| start + rows.start..start + rows.end).collect();
            if self.network.couples_rows() {
                pass.run_jointly(&shards, &writers, &mut losses)?;
                continue;
            }
            for ((rows, writer), loss) in shards.into_iter().zip(&writers).zip(&mut losses) {
                pass.run_in_parts(rows, writer, loss)?;
            }
        }
        let dense =
            writers.into_iter().map(GradWriter::finish_or_zero).collect::<Result<Vec<Dense<'m>>>>()?;
        Dense::sum(&dense, &self.shards)?;
        let loss_sum = self.sum_losses(&losses)?;
        let sum = dense.into_iter().next().ok_or(Error::Interrupted)?;
        Ok(Backward { loss_sum: Scalar::Host(loss_sum), gradients: Gradients::Dense(sum) })
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

impl Pass<'_> {
    /// Takes one shard through the network and back, part by part.
    fn run_in_parts(&mut self, rows: Range<usize>, writer: &GradWriter<'_>, loss: &mut f64) -> Result<()> {
        let most = self.learner.part(self.batch.data);
        for start in rows.clone().step_by(most) {
            self.require_going_on(start)?;
            let range = start..rows.end.min(start + most);
            let part = self.batch.data.part(&self.selection, range, self.inputs.take())?;
            let (learner, tape) = (self.learner, self.tape(start));
            let sum = learner.part_backward(&part, self.divisor, tape, writer, &mut |_, _| Ok(()))?;
            *loss += sum.read()?;
            *self.inputs = Some(part.xs);
        }
        Ok(())
    }

    /// Takes all shards through the network and back, layer by layer.
    fn run_jointly(
        &self,
        shards: &[Range<usize>],
        writers: &[GradWriter<'_>],
        losses: &mut [f64],
    ) -> Result<()> {
        let (mut inputs, mut targets, mut tapes) = (Vec::new(), Vec::new(), Vec::new());
        for rows in shards {
            self.require_going_on(rows.start)?;
            let data::Batch { xs, ys } = self.batch.data.part(&self.selection, rows.clone(), None)?;
            inputs.push(xs);
            targets.push(ys);
            tapes.push(self.tape(rows.start).with_shards(self.learner.shards.clone()));
        }
        let outputs = self.learner.network.train_shards(inputs, &mut tapes)?;
        let mut values = Vec::new();
        for ((outputs, ys), loss) in outputs.iter().zip(&targets).zip(losses) {
            let ValueAndGrad { value, grad } = self.learner.loss.apply(outputs, ys, self.divisor)?;
            *loss += value.read()?;
            values.push(grad);
        }
        Tape::backward_jointly(tapes, values, writers)
    }

    /// A tape for the rows of the batch from `start` on.
    fn tape(&self, start: usize) -> Tape {
        self.learner.tape(self.batch, start).with_stop(self.learner.stop(self.batch, self.context))
    }

    /// Gives the batch up where it is asked to, but not while other ranks wait for this one.
    fn require_going_on(&self, start: usize) -> Result<()> {
        let is_alone = self.learner.shards.ranks().size() == 1;
        if is_alone && start > 0 && self.learner.is_interrupted(self.batch, self.context) {
            return Err(Error::Interrupted);
        }
        Ok(())
    }
}
