//! Training: batch, stochastic and mini-batch gradient descent are one loop, only the number of rows differs.
//!
//! The trainer knows no file, clock or terminal, and calls nothing back: the caller owns the loop over
//! [`Trainer::updates`] and calls [`Trainer::submit`] for each, or [`Trainer::update`], which waits for the outcome:
//!
//! ```
//! use descent::candle::{DType, Device, Tensor};
//! use descent::data::{Affine, Dataset};
//! use descent::loss::{Losses, cross_entropy::CrossEntropy};
//! use descent::model::{Model, Network, NetworkOptions, mlp::Mlp};
//! use descent::optim::{Optimizer, Rule, adam::Adam, schedule::SchedulePlan};
//! use descent::trainer::{TrainOptions, Trainer};
//!
//! # fn main() -> descent::Result<()> {
//! let xs = Tensor::new(&[[0f32, 0.], [0., 1.], [1., 0.], [1., 1.]], &Device::Cpu)?;
//! let ys = Tensor::new(&[0i64, 1, 1, 0], &Device::Cpu)?;
//! let rows = Dataset::new(&xs, &ys, Affine::IDENTITY, DType::F32, &Device::Cpu)?;
//!
//! let model = Model::Mlp(Mlp { hidden: vec![16], ..Mlp::default() });
//! let (features, classes, seed) = (2, 2, 0);
//! let on_cpu = NetworkOptions::new(DType::F32, &Device::Cpu);
//! let network = Network::new(&model, &[features], classes, seed, on_cpu)?;
//! let adam = Rule::Adam(Adam { lr: 0.05, ..Adam::default() });
//! let optimizer = Optimizer::new(adam.into(), SchedulePlan::default(), network.params())?;
//! let loss = Losses::CrossEntropy(CrossEntropy::default());
//! let mut trainer = Trainer::new(network, loss, optimizer, TrainOptions::default(), seed)?;
//! for epoch in 1..=100 {
//!     for update in trainer.updates(&rows, epoch) {
//!         trainer.update(&rows, &update, epoch)?;
//!     }
//! }
//! assert!(trainer.evaluate(&rows)?.loss < 0.1);
//! # Ok(())
//! # }
//! ```

pub mod average;
mod backward;
mod check;
mod diagnosis;
mod epoch_end;
mod evaluation;
mod executor;
mod held_out_errors;
mod importance;
mod interruption;
mod learner;
mod minimize;
mod options;
mod outcome;
mod snapshot;
mod temperature;
#[cfg(test)]
mod tests;
mod update;
mod update_batch;
mod update_rows;
mod wait;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use candle_core::Tensor;

use crate::data::Dataset;
use crate::distributed::{Communicator, Single};
use crate::error::{Error, Result};
use crate::loss::Losses;
use crate::model::Network;
use crate::nn::{GradBuffer, Param};
use crate::optim::schedule::ScheduleTime;
use crate::optim::schedule::reduce_on_plateau::Plateau;
use crate::optim::{Clip, Optimizer};

use average::Average;
pub use average::Averages;
pub use evaluation::{Evaluation, evaluate, evaluate_all, predict, predict_with_deviation};
pub(crate) use evaluation::{HeldOut, MissingMetric, evaluate_out_of_fold, missing_metric};
use evaluation::{Sharing, check_watched, evaluate_unless};
use executor::{Executor, UpdateContext};
pub(crate) use held_out_errors::{HeldOutErrors, PredictionError, held_out_errors};
pub(crate) use importance::{FeaturePlaces, permutation_importance};
use interruption::Interruption;
pub use interruption::RankRequest;
use learner::{Learner, Memory};
pub use options::{Descent, EarlyStopping, FloatType, TrainOptions, check_monitor};
use outcome::Submitted;
pub use outcome::Update;
pub use snapshot::Snapshot;
pub(crate) use temperature::{Temperature, fit_temperature, last_tensors};
use update_batch::UpdateBatch;
pub use update_rows::UpdateRows;

/// A network in training.
#[derive(Debug)]
pub struct Trainer {
    learner: Learner,
    memory: Memory,
    optimizer: Optimizer,
    plateau: Plateau,
    average: Option<Average>,
    /// As it was before the last epoch was ended.
    average_before_end: Option<Average>,
    executor: Executor,
    /// Updates whose outcome is not known yet.
    in_flight: Vec<Submitted>,
    /// Updates that were made and are not taken yet.
    known: Vec<Update>,
    failed_rows: Option<Vec<u32>>,
}

impl Trainer {
    /// A trainer of `network` by an optimizer; `seed` decides the order of the rows and the dropout.
    ///
    /// # Errors
    /// An option of the trainer or the loss that is not valid.
    pub fn new(
        network: Network,
        loss: Losses,
        optimizer: Optimizer,
        options: TrainOptions,
        seed: u64,
    ) -> Result<Self> {
        options.check().map_err(|e| Error::Key(e.under("train")))?;
        loss.check().map_err(|e| Error::Key(e.under("loss")))?;
        let params = network.params();
        let grads = GradBuffer::with_frozen(params, |param| optimizer.is_frozen(param))?;
        let average = options.average.clone().map(Average::new);
        // Some optimizers look at more than one element, and other ranks take part in every update.
        let needs_host = !optimizer.is_per_element() || options.shards > 1;
        let executor = Executor::new(params, needs_host, options.graph_with(optimizer.plan()))?;
        let defers = optimizer.is_plain_descent() && options.clip() == Clip::None;
        let interruption = Interruption::default();
        let shards = backward::shards(options.shards, Arc::new(Single))?;
        let more = (1..shards.own()).map(|_| grads.another()).collect::<Result<_>>()?;
        let learner = Learner { network, loss, options, seed, defers, shards, interruption };
        Ok(Self {
            learner,
            memory: Memory { grads, more, inputs: None },
            optimizer,
            plateau: Plateau::default(),
            average,
            average_before_end: None,
            executor,
            in_flight: Vec::new(),
            known: Vec::new(),
            failed_rows: None,
        })
    }

    /// The same trainer, whose batches are shared by several ranks: each computes its part of the rows, and makes the same
    /// update.
    ///
    /// # Errors
    /// A number of ranks that cannot share `train.shards`.
    pub fn with_ranks(mut self, ranks: Arc<dyn Communicator>) -> Result<Self> {
        self.learner.shards = backward::shards(self.learner.options.shards, ranks)?;
        self.memory.more.truncate(self.learner.shards.own() - 1);
        if self.learner.shards.ranks().size() > 1 {
            self.executor = Executor::Immediate;
        }
        Ok(self)
    }

    /// Abandons an update or an evaluation, as [`Error::Interrupted`], once this is set: between the parts of a batch,
    /// between an optimizer's evaluations of the loss, and between the chunks of an evaluation. All is then as it was.
    pub fn interrupt_by(&mut self, flag: Arc<AtomicBool>) {
        self.learner.interruption.stop = flag;
    }

    /// Abandons an update that evaluates the loss several times, between two evaluations, as [`Error::Interrupted`], once
    /// the time is up.
    pub fn limit_by(&mut self, is_time_up: impl Fn() -> bool + Send + Sync + 'static) {
        self.learner.interruption.is_time_up = Some(Arc::new(is_time_up));
    }

    /// Sets the requests that the ranks agree on with every update, and in evaluations between their chunks.
    pub fn agree_on(&mut self, requests: Vec<RankRequest>) {
        self.learner.interruption.requests = requests;
    }

    /// Agrees with the other ranks now.
    pub fn agree(&self) -> Result<()> {
        self.learner.agree()
    }

    /// The ranks that share the batches.
    pub fn ranks(&self) -> &dyn Communicator {
        &**self.learner.shards.ranks()
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.learner.network
    }

    /// The loss, as the training rows make it.
    pub fn loss(&self) -> &Losses {
        &self.learner.loss
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

    /// Whether updates are queued: on a GPU, if the optimizer moves each element by itself.
    pub fn queues(&self) -> bool {
        self.executor.capacity() > 1
    }

    /// The updates whose outcome became known since the last call, in their order.
    pub fn take_known(&mut self) -> Vec<Update> {
        std::mem::take(&mut self.known)
    }

    /// The rows of the update that diverged last.
    pub fn failed_rows(&self) -> Option<&[u32]> {
        self.failed_rows.as_deref()
    }

    /// The updates made or in flight.
    pub fn steps(&self) -> u64 {
        self.optimizer.steps()
    }

    /// Checks that the metrics that early stopping and the schedule monitor can be computed on the validation rows, for
    /// which the network predicts `outputs` numbers each.
    pub fn check_watched(
        &self,
        stop: Option<&EarlyStopping>,
        outputs: usize,
        validation: &Dataset,
    ) -> Result<()> {
        let plateau = self.optimizer.plan().plateau().and_then(|plateau| plateau.monitor.as_ref());
        let watched =
            [("train.early_stopping.monitor", stop.map(|stop| &stop.monitor)), ("schedule.monitor", plateau)];
        watched.into_iter().try_for_each(|(key, monitor)| match monitor {
            Some(monitor) => check_watched(monitor, key, self.loss(), outputs, validation),
            None => Ok(()),
        })
    }

    /// The rows of every update of `epoch`, counted from 1.
    pub fn updates(&self, data: &Dataset, epoch: u64) -> UpdateRows {
        let order = data.order(self.learner.options.shuffle, self.learner.seed, epoch);
        let update =
            self.learner.options.batch_size.rows(data.len()).saturating_mul(self.learner.options.accumulate);
        UpdateRows::new(order, self.learner.options.rows_in_an_epoch(data.len()), update)
    }

    /// The gradients of the loss of these rows by the parameters' names, as an update would have them before it is
    /// clipped; none is made. Where no row counts there are none.
    pub fn gradients(&mut self, data: &Dataset, rows: &[u32], epoch: u64) -> Result<Vec<(String, Tensor)>> {
        let batch = match self.batch(data, rows, epoch) {
            Err(Error::NothingCounts) => return Ok(Vec::new()),
            batch => UpdateBatch { is_interruptible: false, ..batch? },
        };
        let params = self.learner.network.params();
        let tracked = params.copy_buffers()?;
        // All of them here: other ranks do not take part.
        let shards = std::mem::take(&mut self.learner.shards);
        let backward = self.learner.forward_backward(&batch, UpdateContext::Immediate, &mut self.memory);
        let backward = backward.and_then(|of_shards| self.learner.reduce(of_shards));
        self.learner.shards = shards;
        let params = self.learner.network.params();
        params.restore_buffers(&tracked)?;
        let gradients = backward?.gradients.into_dense()?;
        let named = |param: &Param| (param.name().to_owned(), gradients.get(param).clone());
        Ok(params.trainable().iter().map(named).collect())
    }

    /// The learning rates of the optimizer's groups at the last update, which is in `epoch`, with the groups' numbers
    /// from 1.
    pub fn group_lrs(&self, epoch: u64) -> Vec<(usize, f64)> {
        let reductions = self.plateau.reductions;
        self.optimizer.group_lrs(ScheduleTime { step: self.steps().max(1), epoch: epoch.max(1), reductions })
    }

    /// Loss and metrics on `data`, in evaluation mode.
    ///
    /// # Errors
    /// As [`evaluate`]'s, and an interruption.
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation> {
        let Learner { network, loss, interruption, .. } = &self.learner;
        let is_stopping = || interruption.is_stopping();
        let agree = || self.learner.agree();
        let sharing = Sharing { ranks: self.ranks(), agree: &agree, is_stopping: &is_stopping };
        evaluate_unless(network, loss, &[data], sharing)
    }
}
