//! The state of a trainer: with the config and the data, all that is needed to continue.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::Trainer;
use crate::error::Result;
use crate::optim::schedule::reduce_on_plateau::Plateau;

/// The state of a trainer. Tensors may share storage with it: write them before the next update.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The state dict.
    pub model: BTreeMap<String, Tensor>,
    /// The optimizer's state, `PARAMETER.SLOT`.
    pub optimizer: BTreeMap<String, Tensor>,
    /// The average of the weights by the names of torch's `AveragedModel`, where there is one.
    pub average: Option<BTreeMap<String, Tensor>>,
    /// The updates made.
    pub steps: u64,
    /// The counters of a schedule that follows a metric.
    pub plateau: Plateau,
}

impl Snapshot {
    /// Its tensors, by file.
    pub fn tensors(&self) -> impl Iterator<Item = impl Iterator<Item = (&str, &Tensor)>> {
        let groups = [Some(&self.model), Some(&self.optimizer), self.average.as_ref()];
        groups.into_iter().flatten().map(|group| group.iter().map(|(name, tensor)| (name.as_str(), tensor)))
    }
}

impl Trainer {
    /// The state as it is now; [`Trainer::wait`] first where updates are in flight.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let state = self.learner.network.params().state();
        let average = self.average.as_ref().map(|average| average.named(self.learner.network.params()));
        Ok(Snapshot {
            model: state.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect(),
            optimizer: self.optimizer.state()?.into_iter().collect(),
            average: average.transpose()?.map(|average| average.into_iter().collect()),
            steps: self.steps(),
            plateau: self.plateau,
        })
    }

    /// Goes on from a snapshot of a trainer of the same config.
    ///
    /// # Errors
    /// Every tensor that does not fit; then the trainer is as it was.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.learner.network.params().check(&snapshot.model)?;
        self.optimizer.check(&snapshot.optimizer)?;
        let params = self.learner.network.params();
        let average = match &mut self.average {
            Some(average) => Some(average.restored(params, snapshot.average.as_ref())?),
            None => None,
        };
        self.in_flight.clear();
        self.executor.reopen()?;
        self.learner.network.params().load(&snapshot.model)?;
        self.optimizer.load(&snapshot.optimizer, snapshot.steps)?;
        self.average = average;
        self.plateau = snapshot.plateau;
        Ok(())
    }
}
