//! What training remembers of a forward pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::Tensor;

use super::GradWriter;
use crate::distributed::{Communicator, Single};
use crate::error::{Error, Result};
use crate::rng::{Purpose, Stream};

/// Training or evaluation. Dropout without randomness cannot be written: only training has a tape, and only a tape
/// has random streams.
#[derive(Debug)]
pub enum Mode<'a> {
    /// Batch statistics, dropout, and a way back.
    Train(&'a mut Tape),
    /// Running statistics, no dropout, nothing remembered.
    Eval,
}

/// How a gradient passes back through one layer: from the gradient of its value to that of its input, which is only
/// worked out where it is wanted. The parameters' gradients go to the writer.
type Pullback = Box<dyn FnOnce(&Tensor, &GradWriter<'_>, bool) -> Result<Option<Tensor>> + Send>;

/// The way back through a chain of layers, and the random streams of one pass.
pub struct Tape {
    pullbacks: Vec<Pullback>,
    seed: u64,
    step: u64,
    first_row: u64,
    streams: u64,
    cumulative: bool,
    step_tensor: Option<Tensor>,
    ranks: Arc<dyn Communicator>,
    /// Asked between layers.
    stop: Option<Arc<AtomicBool>>,
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tape")
            .field("layers", &self.pullbacks.len())
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl Tape {
    /// An empty tape for the rows from `first_row` on of the batch of update `step`.
    pub fn new(seed: u64, step: u64, first_row: u64) -> Self {
        let (pullbacks, ranks) = (Vec::new(), Arc::new(Single));
        Self {
            pullbacks,
            seed,
            step,
            first_row,
            streams: 0,
            cumulative: false,
            step_tensor: None,
            ranks,
            stop: None,
        }
    }

    /// The same tape, on which BatchNorm's running statistics are the mean over all batches since its counter was 0.
    pub fn cumulative(self) -> Self {
        Self { cumulative: true, ..self }
    }

    /// The same tape, whose rows are part of a batch that several ranks share.
    pub fn with_ranks(self, ranks: Arc<dyn Communicator>) -> Self {
        Self { ranks, ..self }
    }

    /// The same tape, whose pass is given up before the next layer, forwards or backwards, once `stop` is set.
    pub fn with_stop(self, stop: Option<Arc<AtomicBool>>) -> Self {
        Self { stop, ..self }
    }

    /// Checks that the pass is not to be given up.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(crate) fn check_stop(&self) -> Result<()> {
        check_stop(self.stop.as_deref())
    }

    /// The ranks that share the batch.
    pub(super) fn ranks(&self) -> Arc<dyn Communicator> {
        Arc::clone(&self.ranks)
    }

    /// The same tape, whose operations read the number of the step from this tensor when they run: a pass that is run
    /// again has another number each time.
    pub fn with_step_tensor(self, step_tensor: Option<Tensor>) -> Self {
        Self { step_tensor, ..self }
    }

    /// Where the number of the step is read when an operation runs, if it is not fixed when the pass is recorded.
    pub(super) fn step_tensor(&self) -> Option<&Tensor> {
        self.step_tensor.as_ref()
    }

    /// Whether running statistics are a mean over all batches.
    pub(super) fn is_cumulative(&self) -> bool {
        self.cumulative
    }

    /// The next random stream of this pass. Which one it is depends on how many were asked for before, and so on the
    /// layer's place in the network.
    pub fn stream(&mut self) -> Stream {
        self.streams += 1;
        Stream::new(self.seed, Purpose::Dropout, (self.step << 16) | self.streams)
    }

    /// The place of this pass's first row in its batch: a batch taken in parts has one tape a part.
    pub fn first_row(&self) -> u64 {
        self.first_row
    }

    /// Remembers the way back through one layer.
    pub fn record(
        &mut self,
        pullback: impl FnOnce(&Tensor, &GradWriter<'_>, bool) -> Result<Option<Tensor>> + Send + 'static,
    ) {
        self.pullbacks.push(Box::new(pullback));
    }

    /// Takes the gradient of the network's value back to every parameter. The gradient of the data is not worked out.
    pub fn backward(self, grad: Tensor, grads: &GradWriter<'_>) -> Result<()> {
        self.pull(grad, grads, false).map(|_| ())
    }

    /// As [`Self::backward`], and gives the gradient of the data.
    pub fn backward_to_input(self, grad: Tensor, grads: &GradWriter<'_>) -> Result<Option<Tensor>> {
        self.pull(grad, grads, true)
    }

    fn pull(self, grad: Tensor, grads: &GradWriter<'_>, want_input: bool) -> Result<Option<Tensor>> {
        let mut grad = Some(grad);
        for (depth, pullback) in self.pullbacks.into_iter().enumerate().rev() {
            let Some(above) = grad else { break };
            check_stop(self.stop.as_deref())?;
            grad = pullback(&above, grads, want_input || depth > 0)?;
        }
        Ok(grad)
    }
}

fn check_stop(stop: Option<&AtomicBool>) -> Result<()> {
    let is_set = stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
    if is_set { Err(Error::Interrupted) } else { Ok(()) }
}
