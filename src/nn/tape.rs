//! The tape: records the backward functions of a forward pass.

use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::Tensor;

use super::GradWriter;
use crate::distributed::Shards;
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

/// The part of the gradient of a layer's input that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputGrad {
    /// Nothing: no layer before this one learns.
    Unread,
    /// The part for activations of earlier layers, as in training; entries for the data's own numbers may be zero.
    OfLayers,
    /// All of it, for [`Tape::backward_to_input`].
    Whole,
}

impl InputGrad {
    /// Whether some of it is read.
    pub fn is_read(self) -> bool {
        self != Self::Unread
    }
}

/// The backward function of one layer: from the gradient of its value to that of its input, which is only computed if
/// it is read. The parameters' gradients go to the writer.
type Pullback = Box<dyn FnOnce(&Tensor, &GradWriter<'_>, InputGrad) -> Result<Option<Tensor>> + Send>;

/// The same for all shards of a batch at once.
type JointPullback = Box<dyn FnOnce(&[Tensor], &[&GradWriter<'_>]) -> Result<Vec<Tensor>> + Send>;

/// The way back through one layer.
enum Pullbacks {
    /// The backward function of this shard alone.
    Own(Pullback),
    /// The same of a layer that has no parameters.
    ParameterFree(Pullback),
    /// The joint backward functions of this shard and all others.
    Joint(JointPullback),
    /// Stands on the tape of the first shard.
    OnFirst,
}

/// The way back through a chain of layers, and the random streams of one pass.
pub struct Tape {
    entries: Vec<Pullbacks>,
    seed: u64,
    step: u64,
    first_row: u64,
    /// The rows that layers have made of each row.
    copies: u64,
    streams: u64,
    /// The factor of the probabilities of dropout.
    dropout: f64,
    cumulative: bool,
    step_tensor: Option<Tensor>,
    shards: Shards,
    /// Asked between layers.
    stop: Option<Arc<AtomicBool>>,
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tape")
            .field("layers", &self.entries.len())
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl Tape {
    /// An empty tape for the rows from `first_row` on of the batch of update `step`.
    pub fn new(seed: u64, step: u64, first_row: u64) -> Self {
        let (entries, shards) = (Vec::new(), Shards::default());
        Self {
            entries,
            seed,
            step,
            first_row,
            copies: 1,
            streams: 0,
            dropout: 1.0,
            cumulative: false,
            step_tensor: None,
            shards,
            stop: None,
        }
    }

    /// The same tape, on which BatchNorm's running statistics are the mean over all batches since its counter was 0.
    pub fn cumulative(self) -> Self {
        Self { cumulative: true, ..self }
    }

    /// The same tape, on which the probabilities of dropout have this factor.
    pub fn with_dropout(self, dropout: f64) -> Self {
        Self { dropout, ..self }
    }

    /// The factor of the probabilities of dropout.
    pub(super) fn dropout(&self) -> f64 {
        self.dropout
    }

    /// The same tape, whose rows are one of these shards of a batch.
    pub fn with_shards(self, shards: Shards) -> Self {
        Self { shards, ..self }
    }

    /// The same tape, whose pass is abandoned before the next layer, forwards or backwards, once `stop` is set.
    pub fn with_stop(self, stop: Option<Arc<AtomicBool>>) -> Self {
        Self { stop, ..self }
    }

    /// Fails with [`Error::Interrupted`] if the pass is to stop.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(crate) fn check_stop(&self) -> Result<()> {
        check_stop(self.stop.as_deref())
    }

    /// The flag that gives the pass up.
    pub(super) fn stop(&self) -> Option<Arc<AtomicBool>> {
        self.stop.clone()
    }

    /// The shards of the batch.
    pub(super) fn shards(&self) -> Shards {
        self.shards.clone()
    }

    /// The same tape, whose operations read the number of the step from this tensor when they run: a pass that is run
    /// again has another number each time.
    pub fn with_step_tensor(self, step_tensor: Option<Tensor>) -> Self {
        Self { step_tensor, ..self }
    }

    /// The tensor from which an operation reads the number of the step when it runs, if it is not fixed when the pass
    /// is recorded.
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

    /// The place of this pass's first row in its batch: a batch taken in parts has one tape a part. Where layers have made
    /// several rows of one, all are counted.
    pub fn first_row(&self) -> u64 {
        self.first_row * self.copies
    }

    /// Says that a layer has made so many rows of each row.
    pub(super) fn multiply_rows(&mut self, copies: usize) {
        self.copies *= copies as u64;
    }

    /// Remembers the way back through one layer.
    pub fn record(
        &mut self,
        pullback: impl FnOnce(&Tensor, &GradWriter<'_>, InputGrad) -> Result<Option<Tensor>> + Send + 'static,
    ) {
        self.entries.push(Pullbacks::Own(Box::new(pullback)));
    }

    /// As [`Self::record`] for a layer without parameters: where no layer before it learns either, nothing is taken back
    /// through it.
    pub fn record_without_parameters(
        &mut self,
        pullback: impl FnOnce(&Tensor, &GradWriter<'_>, InputGrad) -> Result<Option<Tensor>> + Send + 'static,
    ) {
        self.entries.push(Pullbacks::ParameterFree(Box::new(pullback)));
    }

    /// Remembers the way back through one layer whose rows depend on those of the other shards: `tapes` are of all of them.
    pub fn record_jointly(
        tapes: &mut [Self],
        pullback: impl FnOnce(&[Tensor], &[&GradWriter<'_>]) -> Result<Vec<Tensor>> + Send + 'static,
    ) {
        let mut entry = Pullbacks::Joint(Box::new(pullback));
        for tape in tapes {
            tape.entries.push(std::mem::replace(&mut entry, Pullbacks::OnFirst));
        }
    }

    /// Takes the gradient of the network's value back to every parameter. The gradient of the data is not worked out.
    pub fn backward(mut self, grad: Tensor, grads: &GradWriter<'_>) -> Result<()> {
        self.drop_unread();
        self.pull(grad, grads, InputGrad::Unread).map(|_| ())
    }

    /// As [`Self::backward`], and gives the gradient of the data.
    pub fn backward_to_input(self, grad: Tensor, grads: &GradWriter<'_>) -> Result<Option<Tensor>> {
        self.pull(grad, grads, InputGrad::Whole)
    }

    /// As [`Self::backward`] for all shards of a batch, layer by layer.
    pub fn backward_jointly(
        mut tapes: Vec<Self>,
        mut values: Vec<Tensor>,
        grads: &[&GradWriter<'_>],
    ) -> Result<()> {
        tapes.iter_mut().for_each(Self::drop_unread);
        while let Some(entries) = tapes.iter_mut().map(|tape| tape.entries.pop()).collect::<Option<Vec<_>>>()
        {
            tapes.iter().try_for_each(Self::check_stop)?;
            let is_first = tapes.iter().all(|tape| tape.entries.is_empty());
            let read = if is_first { InputGrad::Unread } else { InputGrad::OfLayers };
            let mut below = Vec::with_capacity(entries.len());
            for ((entry, grad), writer) in entries.into_iter().zip(&values).zip(grads) {
                match entry {
                    Pullbacks::Own(pullback) | Pullbacks::ParameterFree(pullback) => {
                        below.extend(pullback(grad, writer, read)?);
                    }
                    Pullbacks::Joint(pullback) => below = pullback(&values, grads)?,
                    Pullbacks::OnFirst => {}
                }
            }
            values = below;
        }
        Ok(())
    }

    /// The place of the first layer that has parameters; the number of layers where none has.
    fn first_with_parameters(&self) -> usize {
        let is_free = |entry: &Pullbacks| matches!(entry, Pullbacks::ParameterFree(_));
        self.entries.iter().position(|entry| !is_free(entry)).unwrap_or(self.entries.len())
    }

    /// Drops the layers below the first one that has parameters, since nothing reads their gradients.
    fn drop_unread(&mut self) {
        let last = self.entries.len().saturating_sub(1);
        self.entries.drain(..self.first_with_parameters().min(last));
    }

    /// `of_data`: what is read of the gradient of the first layer's input.
    fn pull(self, grad: Tensor, grads: &GradWriter<'_>, of_data: InputGrad) -> Result<Option<Tensor>> {
        let mut grad = Some(grad);
        for (depth, entry) in self.entries.into_iter().enumerate().rev() {
            let Some(above) = grad else { break };
            check_stop(self.stop.as_deref())?;
            let read = if depth > 0 { of_data.max(InputGrad::OfLayers) } else { of_data };
            grad = match entry {
                Pullbacks::Own(pullback) | Pullbacks::ParameterFree(pullback) => {
                    pullback(&above, grads, read)?
                }
                Pullbacks::Joint(pullback) => pullback(slice::from_ref(&above), &[grads])?.into_iter().next(),
                Pullbacks::OnFirst => None,
            };
        }
        Ok(grad)
    }
}

fn check_stop(stop: Option<&AtomicBool>) -> Result<()> {
    let is_set = stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
    if is_set { Err(Error::Interrupted) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
