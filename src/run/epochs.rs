//! The epoch loop of a run.

use super::Run;
use super::kept::is_long_ago;
use super::observer::{EpochStart, EpochTimer, Observer, UpdateEnd};
use crate::checkpoint::Sums;
use crate::config::Every;
use crate::error::{Error, Result};
use crate::trainer::UpdateRows;

/// An epoch under way: its sums, and the clock that measures their seconds.
struct EpochInProgress {
    sums: Sums,
    clock: EpochTimer,
}

impl EpochInProgress {
    fn sums(&self) -> Sums {
        Sums { seconds: self.clock.seconds(), ..self.sums }
    }
}

impl Run {
    /// Trains the next epoch, or the rest of one; false when an interrupt asks to stop within it.
    pub(super) fn epoch(&mut self, observer: &mut dyn Observer) -> Result<bool> {
        if self.position.within.is_none() {
            self.position.epoch += 1;
            self.position.updates = 0;
        }
        let sums = self.position.within.unwrap_or_default();
        let mut epoch = EpochInProgress { sums, clock: EpochTimer::start(sums.seconds) };
        let batches = self.trainer.updates(&self.splits.train, self.position.epoch);
        observer.epoch_start(&EpochStart {
            epoch: self.position.epoch,
            epochs: self.config.run.epochs,
            rows: batches.rows(),
        });
        let goes_on = self.updates(batches, &mut epoch, observer)?;
        self.settle(&mut epoch, observer)?;
        observer.updates_end();
        self.position.within = Some(epoch.sums());
        Ok(goes_on)
    }

    /// Makes the updates of an epoch that are left; false when an interrupt asks to stop before the last.
    fn updates(
        &mut self,
        batches: UpdateRows,
        epoch: &mut EpochInProgress,
        observer: &mut dyn Observer,
    ) -> Result<bool> {
        let first = usize::try_from(self.position.updates).unwrap_or(usize::MAX);
        let last = batches.len();
        for (index, rows) in batches.enumerate().skip(first) {
            if self.limit_reached {
                self.stop_within(epoch, observer)?;
                break;
            }
            match self.submit(&rows, epoch, observer) {
                Err(Error::Interrupted) if self.options.interrupt.is_stopping() => return Ok(false),
                // `max_time` was over within an update that evaluates the loss several times, which was abandoned.
                Err(Error::Interrupted) => {
                    self.limit_reached = true;
                    self.stop_within(epoch, observer)?;
                    break;
                }
                submitted => submitted?,
            }
            self.check_limit();
            // After the last update the epoch is ended first.
            if index + 1 < last && self.is_save_due() {
                self.settle(epoch, observer)?;
                let stop = self.options.interrupt.is_stopping();
                self.options.interrupt.take_save();
                self.position.within = Some(epoch.sums());
                self.save(observer)?;
                if stop {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Makes an update from these rows; a batch in which nothing counts is skipped and counted.
    fn submit(
        &mut self,
        rows: &[u32],
        epoch: &mut EpochInProgress,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let submitted = self.trainer.submit(&self.splits.train, rows, self.position.epoch);
        self.count(epoch, observer);
        match submitted {
            Err(Error::NothingCounts) => {
                epoch.sums.skipped += 1;
                self.position.updates += 1;
                Ok(())
            }
            submitted => submitted.map_err(|error| self.record_failure(error)),
        }
    }

    /// Saves within an epoch that a limit ends: a run that is given more steps or time goes on from there.
    fn stop_within(&mut self, epoch: &mut EpochInProgress, observer: &mut dyn Observer) -> Result<()> {
        self.settle(epoch, observer)?;
        if self.position.updates == 0 {
            return Ok(());
        }
        self.position.within = Some(epoch.sums());
        self.checkpoint(observer)
    }

    /// Adds the updates that became known to the epoch's sums.
    fn count(&mut self, epoch: &mut EpochInProgress, observer: &mut dyn Observer) {
        for update in self.trainer.take_known() {
            let sums = &mut epoch.sums;
            sums.loss += update.loss_sum;
            sums.total += update.total;
            sums.rows += update.rows as u64;
            sums.lr = update.lr;
            if let Some(norm) = update.norm {
                sums.norms.sum += norm;
                sums.norms.count += 1;
                sums.norms.clipped += u64::from(update.is_clipped);
            }
            self.position.updates += 1;
            observer.update_end(&UpdateEnd {
                epoch: self.position.epoch,
                step: update.step,
                loss: update.loss_sum / update.total,
                sums: &epoch.sums,
                clock: epoch.clock,
            });
        }
    }

    /// Waits for the updates that a GPU still has to make, and adds them to the epoch's sums.
    fn settle(&mut self, epoch: &mut EpochInProgress, observer: &mut dyn Observer) -> Result<()> {
        let waited = self.trainer.wait(&self.splits.train);
        self.count(epoch, observer);
        waited.map_err(|error| self.record_failure(error))
    }

    /// Whether a checkpoint is due within the epoch, or asked for.
    fn is_save_due(&self) -> bool {
        let step = self.trainer.steps();
        let due =
            matches!(self.config.run.checkpoint_every, Every::Steps(every) if step.is_multiple_of(every));
        due || self.options.interrupt.is_stopping() || self.options.interrupt.wants_save()
    }

    /// Evaluates an epoch, logs it, and saves if a save is due; false when it is interrupted, and the epoch is still to
    /// be ended.
    pub(super) fn end_epoch(&mut self, observer: &mut dyn Observer) -> Result<bool> {
        let number = self.position.epoch;
        let sums = self.position.within.unwrap_or_default();
        if sums.total == 0.0 {
            return Err(Error::NothingCounts);
        }
        self.trainer.require_finite(number)?;
        self.trainer.end_epoch(number)?;
        // With `train.average` it is the average of the weights that is evaluated and kept.
        let raw = self.trainer.enter_average(&self.splits.train)?;
        let metrics = match self.measure(sums.loss / sums.total) {
            Err(Error::Interrupted) => {
                self.trainer.leave_average(raw)?;
                self.trainer.reopen_epoch();
                return Ok(false);
            }
            metrics => metrics?,
        };
        self.position.within = None;
        self.position.skipped += sums.skipped;
        self.report(sums, &metrics, observer)?;
        self.require_watched(&metrics)?;
        self.trainer.observe(&metrics);
        let better = self.tracker.see(number, &metrics);
        if better {
            self.best_metrics.clone_from(&metrics);
        }
        if better && (self.tracker.state().best.is_some() || self.is_over() || is_long_ago(self.model.at)) {
            self.keep_model()?;
        }
        self.trainer.leave_average(raw)?;
        self.save_epoch(observer)?;
        Ok(true)
    }

    /// Saves at the end of an epoch, if a save is due.
    fn save_epoch(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let due = match self.config.run.checkpoint_every {
            Every::Auto => self.is_over() || is_long_ago(self.saved_at),
            Every::Epoch => true,
            Every::Steps(every) => self.trainer.steps().is_multiple_of(every) || self.is_over(),
            Every::Never => false,
        };
        if due {
            self.checkpoint(observer)?;
        }
        if self.options.interrupt.take_save() {
            self.save(observer)?;
        }
        Ok(())
    }
}
