//! One update: rows → forward → loss → backward → reduce over ranks → finite? → clip → step.

use super::batch::Batch;
use super::outcome::{Checked, Outcome, Submitted, Update};
use super::{Trainer, evaluation};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::optim::schedule::ScheduleTime;

impl Trainer {
    /// Submits an update from these rows of `data`. Its outcome may be known later, of many updates together: see
    /// [`Self::take_known`].
    ///
    /// # Errors
    /// An interruption, or the divergence of an update that is now known: [`Self::failed_rows`] tells which. Neither is
    /// made, nor is any update behind one that diverged. [`Error::NothingCounts`] where all rows are ignored or of weight
    /// 0, of which torch's mean is NaN: the next update can be made as if this one had never been asked for.
    pub fn submit(&mut self, data: &Dataset, rows: &[u32], epoch: u64) -> Result<()> {
        let before = self.optimizer.position();
        let made = self.batch(data, rows, epoch).and_then(|batch| {
            let outcome =
                if self.optimizer.needs_closure() { self.minimize(&batch) } else { self.step(&batch) };
            outcome.map(|outcome| (outcome, batch.update()))
        });
        match made {
            Ok((outcome, update)) => {
                let rows = rows.to_vec();
                self.in_flight.push(Submitted { update, outcome, epoch, rows, before });
            }
            Err(error) => {
                self.optimizer.return_to(&before);
                return Err(error.of_update(rows.len()));
            }
        }
        if self.in_flight.len() < self.executor.capacity() { Ok(()) } else { self.wait(data) }
    }

    /// As [`Self::submit`], and waits for the outcome.
    pub fn update(&mut self, data: &Dataset, rows: &[u32], epoch: u64) -> Result<Update> {
        self.submit(data, rows, epoch)?;
        self.wait(data)?;
        self.known.pop().ok_or_else(evaluation::no_row_counts)
    }

    /// The rows of the next update, and where training stands.
    pub(super) fn batch<'a>(&self, data: &'a Dataset, rows: &'a [u32], epoch: u64) -> Result<Batch<'a>> {
        let time = ScheduleTime { step: self.steps() + 1, epoch, reductions: self.plateau.reductions };
        let lr = self.optimizer.lr(time);
        let selection = data.select(rows)?;
        let total = self.learner.total(&selection)?;
        let is_interruptible = !self.optimizer.needs_closure();
        Ok(Batch { data, rows, selection, total, time, lr, is_interruptible })
    }

    /// An update by gradients alone.
    fn step(&mut self, batch: &Batch<'_>) -> Result<Option<Outcome>> {
        let Self { learner, memory, optimizer, executor, .. } = self;
        executor.run(&learner.network, batch, &mut |run| {
            let backward = learner.backward(batch, run, memory)?;
            let Checked { outcome, step } = run.check(backward, batch.total, learner.limits(batch))?;
            if let Some((gradients, clipping)) = step {
                optimizer.step(&gradients, clipping, batch.time)?;
            }
            Ok(outcome)
        })
    }

    /// An update by an optimizer that evaluates the loss several times. What it reports is the first loss.
    fn minimize(&mut self, batch: &Batch<'_>) -> Result<Option<Outcome>> {
        let Self { learner, memory, optimizer, executor, .. } = self;
        executor.run(&learner.network, batch, &mut |run| {
            let mut first = None;
            let made = optimizer.minimize(batch.lr, &mut |optimizer| {
                let backward = learner.backward(batch, run, memory)?;
                let Checked { outcome, step } = run.check(backward, batch.total, learner.limits(batch))?;
                let is_first = first.is_none();
                first = first.or(outcome);
                match (outcome, step) {
                    (Some(Outcome { loss_sum, .. }), Some((gradients, clipping))) => {
                        let flat = optimizer.flat(gradients.into_dense()?, clipping)?;
                        Ok((loss_sum / learner.loss.divisor(batch.total), flat))
                    }
                    // A trial too far out is one with too high a loss; the search comes back from it.
                    _ if !is_first => Ok((f64::INFINITY, vec![0.0; optimizer.count()])),
                    (Some(outcome), _) => Err(batch.diverged(outcome, learner.options.dtype)),
                    (None, _) => Err(evaluation::no_row_counts()),
                }
            });
            match made {
                Err(Error::Diverged { .. }) | Ok(()) => Ok(first),
                Err(error) => Err(error),
            }
        })
    }

    /// Waits for all updates that are in flight.
    ///
    /// # Errors
    /// As [`Self::submit`]'s.
    pub fn wait(&mut self, data: &Dataset) -> Result<()> {
        let in_flight = std::mem::take(&mut self.in_flight);
        let outcomes = self.executor.outcomes(&in_flight)?;
        for (submitted, outcome) in in_flight.into_iter().zip(outcomes) {
            if !outcome.is_finite {
                return Err(self.diverged(data, submitted, outcome)?);
            }
            if let Some(average) = &mut self.average {
                average.see(self.learner.network.params(), submitted.epoch, false)?;
            }
            let Outcome { loss_sum, norm, .. } = outcome;
            let norm = Some(norm).filter(|norm| norm.is_finite());
            let is_clipped = norm.is_some_and(|norm| self.learner.options.clip().clips(norm));
            self.known.push(Update { loss_sum, norm, is_clipped, ..submitted.update });
        }
        Ok(())
    }
}
