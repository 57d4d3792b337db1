//! The end of an epoch: the average of the weights, the schedule that follows a metric, and whether the weights are finite.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::Trainer;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::norm::sum_of_squares;
use crate::nn::Tape;

impl Trainer {
    /// Ends `epoch`, whose last update was made.
    pub fn end_epoch(&mut self, epoch: u64) -> Result<()> {
        self.average_before_end.clone_from(&self.average);
        match &mut self.average {
            Some(average) => average.see(self.learner.network.params(), epoch, true),
            None => Ok(()),
        }
    }

    /// Takes the last [`Self::end_epoch`] back: the epoch is ended again later.
    pub fn reopen_epoch(&mut self) {
        self.average = self.average_before_end.take();
    }

    /// Puts the average of the weights into the network, with BatchNorm's statistics computed anew in a pass over
    /// `data`, and returns the state that [`Self::leave_average`] takes; `None` if no weights are averaged yet.
    pub fn enter_average(&self, data: &Dataset) -> Result<Option<BTreeMap<String, Tensor>>> {
        let Some(average) = &self.average else { return Ok(None) };
        let params = self.learner.network.params();
        let Some(state) = average.state(params)? else { return Ok(None) };
        let raw = params.copy()?;
        params.load(&state)?;
        if self.learner.network.couples_rows() {
            params.reset_counters()?;
            let batch = self.learner.options.batch_size.rows(data.len());
            // A last batch of one row has no variance; it is left out.
            for rows in data.chunks_of(batch).filter(|rows| rows.len() > 1) {
                let mut tape = Tape::new(self.learner.seed, self.steps() + 1, 0).cumulative();
                self.learner.network.train(&data.inputs(&rows)?, &mut tape)?;
            }
        }
        Ok(Some(raw))
    }

    /// Goes on with the weights from before [`Self::enter_average`].
    pub fn leave_average(&self, raw: Option<BTreeMap<String, Tensor>>) -> Result<()> {
        raw.map_or(Ok(()), |raw| self.learner.network.params().load(&raw))
    }

    /// Takes the numbers of an epoch by name, for a schedule that follows one of them.
    pub fn observe(&mut self, numbers: &[(String, f64)]) {
        if let (Some(schedule), Some(value)) = (self.optimizer.plan().plateau(), self.monitored(numbers)) {
            self.plateau.see(schedule, value);
        }
    }

    /// The one of these numbers that the schedule follows.
    pub fn monitored(&self, numbers: &[(String, f64)]) -> Option<f64> {
        let value = |wanted: &str| numbers.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
        match &self.optimizer.plan().plateau()?.monitor {
            Some(monitor) => value(monitor),
            None => value("val_loss").or_else(|| value("train_loss")),
        }
    }

    /// An error if a weight is no longer finite: the updates of `epoch` were too large for its type.
    pub fn require_finite(&self, epoch: u64) -> Result<()> {
        for param in self.learner.network.params().trainable() {
            if !sum_of_squares(&[param.value()])?.is_finite() {
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
}
