//! Updates on a GPU, where the host queues work and reads what came of it now and then: nothing inside an update waits.
//!
//! An update that is not finite is not made, and none behind it is, until the host has looked ([`Judge`]). So the
//! weights are then as they were before it, as they are on the CPU.

use candle_core::Tensor;

use super::Trainer;
use super::captured::{Captured, Kind, Way};
use super::pass::{Batch, Judged, Pass, Update};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::cuda::{Constants, Gate, Graph, Judge, Limits};
use crate::nn::{Gradients, Params};
use crate::optim::schedule::ScheduleTime;
use crate::optim::{Clip, Clipping, Place};

/// The most updates that are queued before the host looks.
const PLACES: usize = 64;

/// Updates whose numbers are not known yet.
#[derive(Debug)]
pub(super) struct Queue {
    judge: Judge,
    pending: Vec<Pending>,
    /// One that was not made; those before it are made, and known.
    failed: Option<Pending>,
    captured: Captured,
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
    /// For the parameters of a network.
    pub(super) fn new(params: &Params) -> Result<Self> {
        let (count, device) = (params.trainable().len(), params.device());
        let (judge, captured) = (Judge::new(PLACES, device)?, Captured::new(count, device)?);
        Ok(Self { judge, pending: Vec::new(), failed: None, captured })
    }

    /// Forgets what is queued: the trainer goes on from elsewhere.
    pub(super) fn forget(&mut self) -> Result<()> {
        self.pending.clear();
        self.failed = None;
        Ok(self.judge.open()?)
    }
}

impl Trainer {
    /// As [`Self::update`], and leaves a GPU at work. Gives the updates whose numbers are known since: on the CPU this
    /// one, on a GPU many at once now and then, in their order. [`Self::settle`] comes before anything else that is done
    /// with the trainer.
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
        self.put(data, rows, epoch).map_err(|error| error.of_update(rows.len()))?;
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
        let time = ScheduleTime { step, epoch, reductions: self.plateau.reductions };
        let lr = self.optimizer.lr(time);
        let before = self.optimizer.place();
        let Self { network, loss, optimizer, options, grads, inputs, seed, interrupt, queue, .. } = self;
        let Some(Queue { judge, captured, .. }) = queue else { return Ok(()) };
        let interrupt = Some(&**interrupt);
        let pass = Pass {
            network,
            loss,
            is_plain: optimizer.is_plain_descent(),
            options,
            grads,
            inputs,
            seed: *seed,
            interrupt,
        };
        let total = pass.total(&data.targets_to_count(rows)?)?;
        let numbers = data.there(rows)?;
        judge.begin(step, total)?;
        let kind: Kind = (rows.len(), total.to_bits());
        let way = match &numbers {
            Some(numbers) if options.cuda_graph => captured.way(kind, numbers)?,
            _ => Way::Eager,
        };
        let batch = Batch { data, rows, epoch, step, lr };
        self.make(&batch, (way, kind), (total, numbers.as_ref()), time)?;
        let update = Update { step, loss_sum: f64::NAN, total, rows: rows.len(), lr };
        if let Some(queue) = &mut self.queue {
            queue.pending.push(Pending { update, norm: f64::NAN, epoch, rows: rows.to_vec(), before });
        }
        Ok(())
    }

    /// Queues an update this way.
    fn make(
        &mut self,
        batch: &Batch<'_>,
        (way, kind): (Way, Kind),
        (total, numbers): (f64, Option<&Tensor>),
        time: ScheduleTime,
    ) -> Result<()> {
        let Self { network, loss, optimizer, options, grads, inputs, seed, interrupt, queue, .. } = self;
        let Some(Queue { judge, captured, .. }) = queue else { return Ok(()) };
        let clip = options.clip();
        let norm = if let Clip::Norm(norm) = clip { Some(norm) } else { None };
        let clipping = match clip {
            Clip::Value(clamp) => Clipping { clamp, ..Clipping::NONE },
            _ => Clipping::NONE,
        };
        let replayed = matches!(way, Way::Capture | Way::Replay).then_some(&captured.replayed);
        let gate = Gate { judge, replayed };
        if way == Way::Replay {
            let gradients = Gradients::Dense(grads.as_written());
            optimizer.step(&gradients, clipping, time, Some(gate))?;
            return captured.replay();
        }
        let rows = if way == Way::Capture { captured.rows.as_ref() } else { numbers };
        let limits = Limits { norm, loss: options.dtype.largest() };
        let judged = Judged { judge, limits, total, rows };
        let (params, seed) = (network.params(), *seed);
        if way != Way::Eager {
            // Memory from outside a graph is not freed in it, and its own is not kept.
            *inputs = None;
        }
        let mut work = || {
            let tracked = network.couples_rows().then(|| params.copy_buffers()).transpose()?;
            let interrupt = Some(&**interrupt);
            let pass = Pass {
                network,
                loss,
                is_plain: optimizer.is_plain_descent(),
                options,
                grads,
                inputs,
                seed,
                interrupt,
            };
            let gradients = pass.queue(batch, &judged)?;
            optimizer.step(&gradients, clipping, time, Some(gate))?;
            if way != Way::Eager {
                *inputs = None;
            }
            tracked.map_or(Ok(()), |tracked| Ok(judge.take_back(&params.buffers(), &tracked)?))
        };
        if way == Way::Eager {
            return work();
        }
        let _kept = Constants::keep(params.device());
        if way == Way::Warm {
            return work();
        }
        let graph = Graph::capture(params.device(), work)?;
        captured.keep(kind, graph);
        captured.replay()
    }
}
