//! Training: batch, stochastic and mini-batch gradient descent are one loop, only the number of rows differs.
//!
//! The trainer knows no file, clock or terminal, and calls nothing back: the caller owns the loop over
//! [`Trainer::batches`] and calls [`Trainer::update`] for each.

pub mod average;
mod batches;
mod captured;
mod diagnosis;
mod evaluation;
mod options;
mod pass;
mod queue;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use candle_core::{DType, Tensor};

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::norm::sum_of_squares;
use crate::loss::Losses;
use crate::model::Network;
use crate::nn::{GradBuffer, Tape};
use crate::optim::Optimizer;
use crate::optim::schedule::ScheduleTime;
use crate::optim::schedule::reduce_on_plateau::Plateau;

use average::Average;
pub use average::Averages;
pub use batches::Batches;
pub use evaluation::{Evaluation, evaluate};
pub use options::{Descent, EarlyStopping, Every, Precision, TrainOptions, check_monitor};
pub use pass::Update;
use pass::{Batch, Pass};
use queue::Queue;
pub use snapshot::Snapshot;

/// A network in training.
#[derive(Debug)]
pub struct Trainer {
    network: Network,
    loss: Losses,
    optimizer: Optimizer,
    plateau: Plateau,
    average: Option<Average>,
    options: TrainOptions,
    grads: GradBuffer,
    inputs: Option<Tensor>,
    /// On a GPU, where the host need not see an update's numbers to make the next.
    queue: Option<Queue>,
    failed_rows: Option<Vec<u32>>,
    seed: u64,
    interrupt: Arc<AtomicBool>,
}

impl Trainer {
    /// A trainer of `network` by an optimizer; `seed` decides the order of the rows and the dropout.
    pub fn new(
        network: Network,
        loss: Losses,
        optimizer: Optimizer,
        options: TrainOptions,
        seed: u64,
    ) -> Result<Self> {
        let grads = GradBuffer::with_frozen(network.params(), |param| optimizer.is_frozen(param))?;
        let plateau = Plateau::default();
        let average = options.average.clone().map(Average::new);
        let (params, dtype) = (network.params(), network.params().dtype());
        let queues = params.device().is_cuda()
            && matches!(dtype, DType::F32 | DType::F64)
            && average.is_none()
            && optimizer.is_per_element();
        let queue = queues.then(|| Queue::new(params)).transpose()?;
        let (inputs, failed_rows, interrupt) = (None, None, Arc::default());
        Ok(Self {
            network,
            loss,
            optimizer,
            plateau,
            average,
            options,
            grads,
            inputs,
            queue,
            failed_rows,
            seed,
            interrupt,
        })
    }

    /// Gives an update up between its parts, as [`Error::Interrupted`], once this is set: a large batch can take long.
    /// One by an optimizer that evaluates the loss several times is made to its end.
    pub fn interrupt_by(&mut self, flag: Arc<AtomicBool>) {
        self.interrupt = flag;
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The loss, as the training rows make it.
    pub fn loss(&self) -> &Losses {
        &self.loss
    }

    /// The optimizer.
    pub fn optimizer(&self) -> &Optimizer {
        &self.optimizer
    }

    /// Goes on with an optimizer's state, as `steps` updates left it.
    ///
    /// # Errors
    /// A state that does not fit; the trainer's own is as it was.
    pub fn load_optimizer(&mut self, state: &BTreeMap<String, Tensor>, steps: u64) -> Result<()> {
        self.optimizer.load(state, steps)
    }

    /// Whether updates are queued on a GPU: it has one, the optimizer moves each element by itself, and no average is kept.
    pub fn queues(&self) -> bool {
        self.queue.is_some()
    }

    /// The updates made so far.
    pub fn steps(&self) -> u64 {
        self.optimizer.steps()
    }

    /// Refuses data that the options and the network cannot train on, before anything runs.
    pub fn check(&self, data: &Dataset) -> Result<()> {
        let rows = self.options.rows_in_an_epoch(data.len());
        if rows == 0 {
            return Err(Error::key(
                "train.drop_last",
                format!(
                    "drops the only batch: there are {} rows; choose a smaller `train.batch_size`",
                    data.len()
                ),
            ));
        }
        let batch = self.options.batch_size.rows(data.len());
        let last = if rows.is_multiple_of(batch) { batch } else { rows % batch };
        if self.network.couples_rows() && (batch == 1 || last == 1) {
            let which = if batch == 1 { "a batch" } else { "the last batch of an epoch" };
            return Err(Error::key(
                "train.batch_size",
                format!(
                    "is {batch}, and {which} of {rows} rows has one row, but `model.batch_norm` needs two or more: \
                     choose another, or set `train.drop_last = true`"
                ),
            ));
        }
        Ok(())
    }

    /// The rows of every update of `epoch`, counted from 1.
    pub fn batches(&self, data: &Dataset, epoch: u64) -> Batches {
        let order = data.order(self.options.shuffle, self.seed, epoch);
        let update = self.options.batch_size.rows(data.len()).saturating_mul(self.options.accumulate);
        Batches::new(order, self.options.rows_in_an_epoch(data.len()), update)
    }

    /// One update from these rows of `data`.
    ///
    /// # Errors
    /// A loss or a gradient that is not finite, with the first layer where that is so, or an interruption; the trainer
    /// is as it was.
    pub fn update(&mut self, data: &Dataset, rows: &[u32], epoch: u64) -> Result<Update> {
        if self.queue.is_some() {
            let mut last = self.queue(data, rows, epoch)?.pop();
            while let Some(update) = self.settle(data)?.pop() {
                last = Some(update);
            }
            return last.ok_or_else(evaluation::no_row_counts);
        }
        let step = self.steps() + 1;
        let time = ScheduleTime { step, epoch, reductions: self.plateau.reductions };
        let lr = self.optimizer.lr(time);
        let batch = Batch { data, rows, epoch, step, lr };
        // A forward pass moves BatchNorm's statistics.
        let tracked =
            self.network.couples_rows().then(|| self.network.params().copy_buffers()).transpose()?;
        let made =
            if self.optimizer.needs_closure() { self.minimize(&batch) } else { self.step(&batch, time) };
        let update = match made {
            Ok(update) => update,
            Err(error) => {
                let diverged = matches!(error, Error::Diverged { .. });
                let first = if diverged { self.first_that_is_not_finite(&batch)? } else { None };
                self.network.params().restore_buffers(&tracked.unwrap_or_default())?;
                return Err(error.with_first(first).of_update(rows.len()));
            }
        };
        if let Some(average) = &mut self.average {
            average.see(self.network.params(), epoch, false)?;
        }
        Ok(update)
    }

    /// An update by gradients alone.
    fn step(&mut self, batch: &Batch<'_>, time: ScheduleTime) -> Result<Update> {
        let Self { network, loss, optimizer, options, grads, inputs, seed, interrupt, .. } = self;
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
        let (update, gradients, clipping) = pass.gradients(batch)?;
        optimizer.step(&gradients, clipping, time, None)?;
        Ok(update)
    }

    /// The gradients of the loss of these rows by the parameters' names, as an update would have them before it is
    /// clipped; none is made.
    pub fn gradients(&mut self, data: &Dataset, rows: &[u32], epoch: u64) -> Result<Vec<(String, Tensor)>> {
        let tracked = self.network.params().copy_buffers()?;
        let batch = Batch { data, rows, epoch, step: self.steps() + 1, lr: 0.0 };
        let Self { network, loss, optimizer, options, grads, inputs, seed, .. } = self;
        let pass = Pass {
            network,
            loss,
            is_plain: optimizer.is_plain_descent(),
            options,
            grads,
            inputs,
            seed: *seed,
            interrupt: None,
        };
        let made = pass.backward(&batch, None).and_then(|backward| backward.gradients.into_dense());
        network.params().restore_buffers(&tracked)?;
        let gradients = made?;
        let params = network.params().trainable().iter();
        Ok(params.map(|param| (param.name().to_owned(), gradients.get(param).clone())).collect())
    }

    /// Says that the last update of `epoch` was made.
    pub fn end_epoch(&mut self, epoch: u64) -> Result<()> {
        match &mut self.average {
            Some(average) => average.see(self.network.params(), epoch, true),
            None => Ok(()),
        }
    }

    /// Puts the average of the weights into the network, with BatchNorm's statistics worked out anew in a pass over
    /// `data`, and gives the state to [`Self::leave_average`] with; nothing where no weights are averaged yet.
    pub fn enter_average(&self, data: &Dataset) -> Result<Option<BTreeMap<String, Tensor>>> {
        let Some(average) = &self.average else { return Ok(None) };
        let params = self.network.params();
        let Some(state) = average.state(params)? else { return Ok(None) };
        let raw = params.copy()?;
        params.load(&state)?;
        if self.network.couples_rows() {
            params.reset_counters()?;
            let batch = self.options.batch_size.rows(data.len());
            // A last batch of one row has no variance; it is left out.
            for rows in data.chunks_of(batch).filter(|rows| rows.len() > 1) {
                let mut tape = Tape::new(self.seed, self.steps() + 1, 0).cumulative();
                self.network.train(&data.inputs(&rows)?, &mut tape)?;
            }
        }
        Ok(Some(raw))
    }

    /// Goes on with the weights from before [`Self::enter_average`].
    pub fn leave_average(&self, raw: Option<BTreeMap<String, Tensor>>) -> Result<()> {
        raw.map_or(Ok(()), |raw| self.network.params().load(&raw))
    }

    /// An update by an optimizer that evaluates the loss several times. What it reports is the first loss.
    fn minimize(&mut self, batch: &Batch<'_>) -> Result<Update> {
        let Self { network, loss, optimizer, options, grads, inputs, seed, .. } = self;
        let mut first: Option<Update> = None;
        optimizer.minimize(batch.lr, &mut |optimizer| {
            let pass = Pass {
                network,
                loss,
                is_plain: optimizer.is_plain_descent(),
                options,
                grads,
                inputs,
                seed: *seed,
                interrupt: None,
            };
            match pass.gradients(batch) {
                Ok((update, gradients, clipping)) => {
                    first.get_or_insert(update);
                    let flat = optimizer.flat(gradients.into_dense()?, clipping)?;
                    Ok((update.loss_sum / loss.divisor(update.total), flat))
                }
                // A trial too far out is one with too high a loss; the search comes back from it.
                Err(Error::Diverged { .. }) if first.is_some() => {
                    Ok((f64::INFINITY, vec![0.0; optimizer.count()]))
                }
                Err(error) => Err(error),
            }
        })?;
        first.ok_or_else(evaluation::no_row_counts)
    }

    /// Takes the numbers of an epoch by name, for a schedule that follows one of them.
    pub fn observe(&mut self, numbers: &[(String, f64)]) {
        let Some(schedule) = self.optimizer.plan().plateau() else { return };
        let value = |wanted: &str| numbers.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
        let watched = match &schedule.monitor {
            Some(monitor) => value(monitor),
            None => value("val_loss").or_else(|| value("train_loss")),
        };
        if let Some(value) = watched {
            self.plateau.see(schedule, value);
        }
    }

    /// Refuses weights that are no longer finite: the updates of `epoch` were too large for their type.
    pub fn require_finite(&self, epoch: u64) -> Result<()> {
        for param in self.network.params().trainable() {
            if !sum_of_squares(param.value())?.is_finite() {
                return Err(Error::Weights(format!(
                    "`{}` is no longer finite after epoch {epoch} (step {}): lower `optimizer.lr`, or set \
                     `train.clip_grad_norm`",
                    param.name(),
                    self.steps()
                )));
            }
        }
        Ok(())
    }

    /// Loss and metrics on `data`, in evaluation mode.
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation> {
        evaluate(&self.network, &self.loss, data)
    }
}
