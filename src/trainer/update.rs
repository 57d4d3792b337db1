//! One update: rows → forward → loss → backward → reduce over ranks → finite? → clip → step.

use super::Trainer;
use super::average::Average;
use super::outcome::{Checked, Position, Submitted, Update, UpdateOutcome};
use super::update_batch::UpdateBatch;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::optim::schedule::ScheduleTime;

impl Trainer {
    /// Submits an update from these rows of `data`. Its outcome may only be known later, together with that of other
    /// updates: see [`Self::take_known`].
    ///
    /// # Errors
    /// An interruption, or the divergence of an update that is now known, whose rows [`Self::failed_rows`] has. An
    /// interrupted or diverged update is not applied, and neither are the updates queued after it.
    /// [`Error::NothingCounts`] if all rows are ignored or have weight 0, where torch's mean is NaN: the trainer is
    /// unchanged; continue with the next update.
    pub fn submit(&mut self, data: &Dataset, rows: &[u32], epoch: u64) -> Result<()> {
        let before = self.position();
        let mut made = self.make(data, rows, epoch, &before);
        if let Err(Error::NotCaptured(error)) = &made {
            tracing::warn!(
                "this run's update cannot be captured as a CUDA graph ({error}); its kernels are launched one by one, as with \
                 `train.cuda_graph = false`"
            );
            self.return_to(&before);
            made = self.make(data, rows, epoch, &before);
        }
        match made {
            Ok(submitted) => self.in_flight.push(submitted),
            Err(error) => {
                self.return_to(&before);
                return Err(error.of_update(rows.len()));
            }
        }
        if self.in_flight.len() < self.executor.capacity() { Ok(()) } else { self.wait(data) }
    }

    /// Makes an update, or queues it.
    fn make(&mut self, data: &Dataset, rows: &[u32], epoch: u64, before: &Position) -> Result<Submitted> {
        let batch = self.batch(data, rows, epoch)?;
        let outcome = if self.optimizer.needs_closure() { self.minimize(&batch) } else { self.step(&batch) };
        let (outcome, update) = (outcome?, batch.update());
        Ok(Submitted { update, outcome, epoch, rows: rows.to_vec(), before: before.clone() })
    }

    /// As [`Self::submit`], and waits for the outcome.
    pub fn update(&mut self, data: &Dataset, rows: &[u32], epoch: u64) -> Result<Update> {
        self.submit(data, rows, epoch)?;
        self.wait(data)?;
        self.known.pop().ok_or(Error::Interrupted)
    }

    /// The rows of the next update, and the time at which the schedule sees it.
    pub(super) fn batch<'a>(
        &self,
        data: &'a Dataset,
        rows: &'a [u32],
        epoch: u64,
    ) -> Result<UpdateBatch<'a>> {
        let time = ScheduleTime { step: self.steps() + 1, epoch, reductions: self.plateau.reductions };
        let (lr, dropout) = (self.optimizer.lr(time), self.optimizer.plan().at(1.0, time).dropout);
        let selection = data.select(rows)?;
        let total = self.learner.total(&selection)?;
        Ok(UpdateBatch { data, rows, selection, total, time, lr, dropout, is_interruptible: true })
    }

    /// Its position, to return to.
    fn position(&self) -> Position {
        let averaged = self.average.as_ref().map_or(0, Average::count);
        Position { optimizer: self.optimizer.position(), averaged }
    }

    /// Returns to an earlier position, after updates that were not made.
    pub(super) fn return_to(&mut self, position: &Position) {
        self.optimizer.return_to(&position.optimizer);
        if let Some(average) = &mut self.average {
            average.return_to(position.averaged);
        }
    }

    /// An update by gradients alone.
    fn step(&mut self, batch: &UpdateBatch<'_>) -> Result<Option<UpdateOutcome>> {
        let Self { learner, memory, optimizer, average, executor, .. } = self;
        executor.run(&learner.network, batch, &mut |context| {
            let of_shards = learner.forward_backward(batch, context, memory)?;
            let backward = learner.reduce(of_shards)?;
            // Whether loss and gradients are finite, and how the gradients are clipped.
            let Checked { outcome, step } = context.check(backward, batch.total, learner.limits(batch))?;
            if let Some((gradients, clipping)) = step {
                let gives_up = || learner.gives_up(batch, context);
                optimizer.step_unless(&gives_up, &gradients, clipping, batch.time)?;
                if let Some(average) = average {
                    context.join(average, learner.network.params(), batch.time.epoch)?;
                }
            }
            Ok(outcome)
        })
    }
}
