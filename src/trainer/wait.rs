//! Waiting for updates, and their outcomes.

use super::Trainer;
use super::outcome::{Update, UpdateOutcome};
use crate::data::Dataset;
use crate::error::Result;

impl Trainer {
    /// Waits for all updates that are in flight.
    ///
    /// # Errors
    /// As [`Self::submit`]'s.
    pub fn wait(&mut self, data: &Dataset) -> Result<()> {
        let in_flight = std::mem::take(&mut self.in_flight);
        let outcomes = self.executor.outcomes(&in_flight)?;
        for (submitted, outcome) in in_flight.into_iter().zip(outcomes) {
            if !outcome.is_finite {
                return Err(self.diverged(data, submitted, outcome)?);
            }
            let UpdateOutcome { loss_sum, norm, .. } = outcome;
            let norm = Some(norm).filter(|norm| norm.is_finite());
            let is_clipped = norm.is_some_and(|norm| self.learner.options.clip().clips(norm));
            self.known.push(Update { loss_sum, norm, is_clipped, ..submitted.update });
        }
        Ok(())
    }
}
