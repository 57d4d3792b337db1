//! The way of a batch through the network and back.

use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::Tensor;

use super::TrainOptions;
use super::evaluation::no_row_counts;
use crate::data::{self, Dataset};
use crate::error::{Error, Result};
use crate::kernels::Number;
use crate::kernels::cuda::{Judge, Limits};
use crate::loss::Losses;
use crate::model::Network;
use crate::nn::{GradBuffer, Gradients, Tape};
use crate::optim::{Clip, Clipping};

/// An update runs through the network in parts of at most this many rows, whose gradients add up: they stay in the
/// cache, and a full batch needs the memory of one part.
const PART: usize = 512;

/// The same on a GPU, which is busy with many rows alone.
const GPU_PART: usize = 1 << 14;

/// What one update saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// The number of the update, from 1.
    pub step: u64,
    /// The sum of the rows' losses before the update.
    pub loss_sum: f64,
    /// What that sum is divided by to be the mean.
    pub total: f64,
    /// The number of rows.
    pub rows: usize,
    /// The learning rate.
    pub lr: f64,
}

/// The rows of an update, and where training stands at it.
pub(super) struct Batch<'a> {
    pub(super) data: &'a Dataset,
    pub(super) rows: &'a [u32],
    pub(super) epoch: u64,
    pub(super) step: u64,
    pub(super) lr: f64,
}

impl Batch<'_> {
    /// The error of an update that is not made.
    pub(super) fn diverged(&self, what: &'static str, value: f64) -> Error {
        let Self { epoch, step, lr, .. } = *self;
        Error::Diverged { what, value, step, epoch, lr, first: None, record: None }
    }
}

/// What judges an update on a GPU, and what it needs there.
pub(super) struct Judged<'a> {
    pub(super) judge: &'a Judge,
    pub(super) limits: Limits,
    /// What the loss is divided by to be the mean.
    pub(super) total: f64,
    /// The rows' numbers, where the GPU has the data.
    pub(super) rows: Option<&'a Tensor>,
}

/// What working out gradients needs of a trainer.
pub(super) struct Pass<'a> {
    pub(super) network: &'a Network,
    pub(super) loss: &'a Losses,
    /// Whether every update is plain descent.
    pub(super) is_plain: bool,
    pub(super) options: &'a TrainOptions,
    pub(super) grads: &'a mut GradBuffer,
    /// The last part's rows, whose memory the next one takes.
    pub(super) inputs: &'a mut Option<Tensor>,
    pub(super) seed: u64,
    /// Where it is set, the batch is given up before its next part.
    pub(super) interrupt: Option<&'a AtomicBool>,
}

/// What a pass of a batch through the network and back gives.
pub(super) struct Backward<'a> {
    /// The sum of the rows' losses.
    pub(super) loss_sum: Number,
    /// What that is divided by to be the mean.
    pub(super) total: f64,
    pub(super) gradients: Gradients<'a>,
}

impl<'a> Pass<'a> {
    /// Loss and gradients of a batch, in parts. Nothing of the network has changed but what tracks the data.
    ///
    /// # Errors
    /// A loss or a gradient that is not finite.
    pub(super) fn gradients(self, batch: &Batch<'_>) -> Result<(Update, Gradients<'a>, Clipping)> {
        let Self { options, .. } = self;
        let Backward { loss_sum, total, gradients } = self.backward(batch, None)?;
        let loss_sum = loss_sum.read()?;
        let Batch { rows, step, lr, .. } = *batch;
        let update = Update { step, loss_sum, total, rows: rows.len(), lr };
        // Sums run in f64; what the run's own type cannot hold has left the finite numbers all the same.
        let mean = loss_sum / total;
        if !options.dtype.holds(mean) {
            return Err(batch.diverged("loss", options.dtype.round(mean)));
        }
        let gradients = gradients.bounded()?;
        let clipping = match &gradients {
            Gradients::Dense(dense) => options.clip().of(dense.flat())?,
            Gradients::Factored(_) => Clipping::NONE,
        };
        let finite = match clipping.norm {
            Some(norm) => norm.is_finite(),
            None => gradients.are_finite()?,
        };
        if finite {
            return Ok((update, gradients, clipping));
        }
        let norm = Clip::Norm(1.0).of(gradients.into_dense()?.flat())?.norm;
        Err(batch.diverged("norm of the gradients", norm.unwrap_or(f64::NAN)))
    }

    /// Queues the loss and the gradients of a batch on a GPU, which judges them itself.
    pub(super) fn queue(self, batch: &Batch<'_>, of: &Judged<'_>) -> Result<Gradients<'a>> {
        let Backward { loss_sum, gradients, .. } = self.backward(batch, Some(of))?;
        let loss = match loss_sum {
            Number::There(loss) => loss,
            Number::Here(loss) => Tensor::new(loss, of.judge.now().device())?,
        };
        let gradients = gradients.into_dense()?;
        of.judge.see(&loss, gradients.flat(), of.limits)?;
        Ok(Gradients::Dense(gradients))
    }

    /// What the loss of these targets is divided by to be their mean.
    pub(super) fn total(&self, targets: &Tensor) -> Result<f64> {
        let total = self.loss.total(targets)?;
        if total == 0.0 { Err(no_row_counts()) } else { Ok(total) }
    }

    /// Takes a batch in parts through the network and back.
    pub(super) fn backward(self, batch: &Batch<'_>, judged: Option<&Judged<'_>>) -> Result<Backward<'a>> {
        let Batch { data, rows, step, .. } = *batch;
        let there = judged.and_then(|judged| judged.rows);
        let targets = there.map_or_else(|| data.targets(rows).map(Some), |_| Ok(None))?;
        let total = match (judged, &targets) {
            (None, Some(targets)) => self.total(targets)?,
            (judged, _) => judged.map_or(0.0, |judged| judged.total),
        };
        let divisor = self.loss.divisor(total);
        let mut loss_sum = Number::Here(0.0);
        let (parts, defers) = (self.parts(data, rows), judged.is_none() && self.defers(batch));
        let writer = if defers { self.grads.deferring_writer() } else { self.grads.writer() };
        for (start, part) in parts {
            if start > 0 && self.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                return Err(Error::Interrupted);
            }
            // The tape of the last part is gone, and with it all that looked at its rows.
            let again = self.inputs.take();
            let own = |rows: &Tensor| rows.narrow(0, start, part.len());
            let data::Batch { xs, ys } = match (there, &targets) {
                (Some(rows), _) => data.batch_there(&own(rows)?)?,
                (None, Some(targets)) => {
                    data::Batch { xs: data.inputs_again(part, again)?, ys: own(targets)? }
                }
                (None, None) => data.batch(part)?,
            };
            let now = judged.map(|judged| judged.judge.now().clone());
            let mut tape = Tape::new(self.seed, step, start as u64).with_now(now);
            let outputs = self.network.train(&xs, &mut tape)?;
            let (sum, grad) = self.loss.apply(&outputs, &ys, divisor)?;
            loss_sum = if start == 0 { sum } else { loss_sum.plus(sum)? };
            tape.backward(grad, &writer)?;
            *self.inputs = Some(xs);
        }
        Ok(Backward { loss_sum, total, gradients: writer.finish()? })
    }

    /// Whether the gradients of linear layers go straight into the weights. Those of parts are added up, and clipping
    /// looks at all of them first.
    fn defers(&self, batch: &Batch<'_>) -> bool {
        let is_whole = batch.rows.len() <= self.part(batch.data);
        is_whole && self.options.clip() == Clip::None && self.is_plain
    }

    /// The most rows that go through the network together: a micro-batch, and where the rows are independent of each
    /// other no more than fit the cache.
    fn part(&self, data: &Dataset) -> usize {
        let micro_batch = self.options.batch_size.rows(data.len());
        let most = if self.grads.device().is_cuda() { GPU_PART } else { PART };
        if self.network.couples_rows() { micro_batch } else { micro_batch.min(most) }
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
