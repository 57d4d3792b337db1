//! Updates on a GPU, where the host queues work and reads what came of it now and then: nothing inside an update waits.
//!
//! An update that is not finite is not made, and none behind it is, until the host has looked ([`Judge`]). So the
//! weights are then as they were before it, as they are on the CPU.

use super::Trainer;
use super::pass::{Batch, Pass, Update};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::cuda::{Gate, Judge, Limits};
use crate::optim::{Clip, Clipping, Place, Rates};

/// The most updates that are queued before the host looks.
const PLACES: usize = 64;

/// Updates whose numbers are not known yet.
#[derive(Debug)]
pub(super) struct Queue {
    judge: Judge,
    pending: Vec<Pending>,
    /// One that was not made; those before it are made, and known.
    failed: Option<Pending>,
}

/// An update that is queued.
#[derive(Debug)]
struct Pending {
    /// All but its loss.
    update: Update,
    norm: f64,
    epoch: u64,
    rows: Vec<u32>,
    /// Where the optimizer stood before it.
    before: Place,
}

impl Queue {
    /// For the gradients of so many parameters.
    pub(super) fn new(params: usize, device: &candle_core::Device) -> Result<Self> {
        Ok(Self { judge: Judge::new(params, PLACES, device)?, pending: Vec::new(), failed: None })
    }
}

impl Trainer {
    /// As [`Self::update`], and leaves a GPU at work. Gives the updates whose numbers are known since: on the CPU this
    /// one, on a GPU many at once now and then, in their order.
    ///
    /// # Errors
    /// As [`Self::update`], of this or an earlier one; [`Self::failed_rows`] tells which.
    pub fn queue(&mut self, data: &Dataset, rows: &[u32], epoch: u64) -> Result<Vec<Update>> {
        let Some(queue) = &self.queue else {
            return Ok(vec![self.update(data, rows, epoch)?]);
        };
        let mut known = Vec::new();
        if queue.failed.is_some() || queue.pending.len() == PLACES {
            known = self.settle(data)?;
        }
        self.put(data, rows, epoch)?;
        Ok(known)
    }

    /// Waits for updates that are queued. Gives those whose numbers are known since, none where there are no more.
    ///
    /// # Errors
    /// As [`Self::queue`]'s, once those before it were given.
    pub fn settle(&mut self, data: &Dataset) -> Result<Vec<Update>> {
        let Some(queue) = &mut self.queue else { return Ok(Vec::new()) };
        if let Some(failed) = queue.failed.take() {
            return Err(self.failure(data, failed)?);
        }
        if queue.pending.is_empty() {
            return Ok(Vec::new());
        }
        let (losses, norms, ceased) = queue.judge.read()?;
        let mut known = Vec::new();
        for mut pending in std::mem::take(&mut queue.pending) {
            let place = usize::try_from(pending.update.step).unwrap_or(0) % PLACES;
            (pending.update.loss_sum, pending.norm) = (losses[place], norms[place]);
            if ceased == Some(pending.update.step) {
                queue.judge.open()?;
                self.optimizer.return_to(&pending.before);
                queue.failed = Some(pending);
                break;
            }
            known.push(pending.update);
        }
        if known.is_empty() { self.settle(data) } else { Ok(known) }
    }

    /// The rows of the update that the last error of [`Self::queue`] or [`Self::settle`] is about.
    pub fn failed_rows(&self) -> Option<&[u32]> {
        self.failed_rows.as_deref()
    }

    fn failure(&mut self, data: &Dataset, failed: Pending) -> Result<Error> {
        let Pending { update: Update { step, loss_sum, total, lr, .. }, norm, epoch, rows, .. } = failed;
        let dtype = self.options.dtype;
        let batch = Batch { data, rows: &rows, epoch, step, lr };
        let error = if dtype.holds(loss_sum / total) {
            batch.diverged("norm of the gradients", norm)
        } else {
            batch.diverged("loss", dtype.round(loss_sum / total))
        };
        let tracked = self.network.params().copy_buffers()?;
        let first = self.first_that_is_not_finite(&batch)?;
        self.network.params().restore_buffers(&tracked)?;
        self.failed_rows = Some(rows);
        Ok(error.with_first(first))
    }

    /// Queues an update.
    fn put(&mut self, data: &Dataset, rows: &[u32], epoch: u64) -> Result<()> {
        let step = self.steps() + 1;
        let at = (step, epoch, self.plateau.reductions);
        let (lr, _) = self.plan.at(self.optimizer.rule().common().lr, at);
        let tracked =
            self.network.couples_rows().then(|| self.network.params().copy_buffers()).transpose()?;
        let Self { network, loss, optimizer, plan, options, grads, inputs, seed, interrupt, queue, .. } =
            self;
        let Some(queue) = queue else { return Ok(()) };
        let batch = Batch { data, rows, epoch, step, lr };
        let before = optimizer.place();
        let rates: &Rates<'_> = &|base| plan.at(base, at);
        let interrupt = Some(&**interrupt);
        let clip = options.clip();
        let limits = Limits {
            norm: if let Clip::Norm(norm) = clip { Some(norm) } else { None },
            loss: options.dtype.largest(),
        };
        let clipping = match clip {
            Clip::Value(clamp) => Clipping { clamp, ..Clipping::NONE },
            _ => Clipping::NONE,
        };
        let mut pass = Pass { network, loss, optimizer, options, grads, inputs, seed: *seed, interrupt };
        let total = pass.queue(&batch, &queue.judge, limits)?;
        let gate = Gate { judge: &queue.judge, replayed: None };
        optimizer.step(grads, clipping, rates, Some(gate))?;
        if let Some(tracked) = tracked {
            queue.judge.take_back(&network.params().buffers(), &tracked)?;
        }
        let update = Update { step, loss_sum: f64::NAN, total, rows: rows.len(), lr };
        queue.pending.push(Pending { update, norm: f64::NAN, epoch, rows: rows.to_vec(), before });
        Ok(())
    }
}
