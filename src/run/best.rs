//! Which epoch was the best, and whether training has run out of patience.

use crate::checkpoint::{BestState, Scored};
use crate::trainer::EarlyStopping;

/// Tracks the validation loss, or the metric that early stopping monitors.
#[derive(Debug)]
pub(super) struct BestTracker {
    stop: Option<EarlyStopping>,
    state: BestState,
}

impl BestTracker {
    /// Continues from `state`, or starts anew if that is about another metric.
    pub(super) fn new(stop: Option<EarlyStopping>, state: BestState) -> Self {
        let monitor = stop.clone().unwrap_or_default().monitor;
        let state =
            if state.monitor == monitor { state } else { BestState { monitor, ..BestState::default() } };
        Self { stop, state }
    }

    /// What a checkpoint keeps.
    pub(super) fn state(&self) -> &BestState {
        &self.state
    }

    /// Takes the metrics of an epoch. Returns whether its weights are to be kept: they are the best so far, or the last
    /// where nothing is validated.
    pub(super) fn see(&mut self, epoch: u64, metrics: &[(String, f64)]) -> bool {
        let default = EarlyStopping::default();
        let stop = self.stop.as_ref().unwrap_or(&default);
        let Some((_, value)) = metrics.iter().find(|(name, _)| *name == stop.monitor) else {
            return true;
        };
        let score = stop.direction().score(*value);
        let now = Scored { epoch, score };
        let BestState { best, improved, .. } = &mut self.state;
        if improved.is_none_or(|last| score > last.score + stop.min_delta) {
            *improved = Some(now);
        }
        let better = best.is_none_or(|best| score > best.score);
        if better {
            *best = Some(now);
        }
        better
    }

    /// Whether `patience` epochs have passed without an improvement; with a patience of 0, whether one has.
    pub(super) fn out_of_patience(&self, epoch: u64) -> bool {
        match (&self.stop, self.state.improved) {
            (Some(stop), Some(last)) => epoch > last.epoch && epoch - last.epoch >= stop.patience,
            _ => false,
        }
    }

    /// The best epoch, where epochs are validated.
    pub(super) fn best_epoch(&self) -> Option<u64> {
        self.state.best.map(|best| best.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The epochs whose weights are kept, and the epoch that ends the run.
    fn run(stop: EarlyStopping, losses: &[f64]) -> (Vec<u64>, Option<u64>) {
        let mut tracker = BestTracker::new(Some(stop), BestState::default());
        let mut kept = Vec::new();
        for (epoch, loss) in (1..).zip(losses) {
            if tracker.see(epoch, &[("val_loss".to_owned(), *loss)]) {
                kept.push(epoch);
            }
            if tracker.out_of_patience(epoch) {
                return (kept, Some(epoch));
            }
        }
        (kept, None)
    }

    #[test]
    fn patience_counts_epochs_that_are_not_better_by_the_delta() {
        let stop = |patience, min_delta| EarlyStopping { patience, min_delta, ..EarlyStopping::default() };
        assert_eq!(run(stop(2, 0.0), &[3.0, 2.0, 2.5, 1.0, 1.1, 1.2]), (vec![1, 2, 4], Some(6)));
        assert_eq!(run(stop(0, 0.0), &[3.0, 2.0, 2.5]), (vec![1, 2], Some(3)));
        // Improvements below the delta are kept, but patience runs on.
        assert_eq!(run(stop(2, 0.5), &[3.0, 2.9, 2.8, 2.7]), (vec![1, 2, 3], Some(3)));
    }

    #[test]
    fn without_validation_the_last_weights_are_kept() {
        let mut tracker = BestTracker::new(None, BestState::default());
        let numbers = [("train_loss".to_owned(), 1.0)];
        assert!(tracker.see(1, &numbers) && tracker.see(2, &numbers));
        assert_eq!(tracker.best_epoch(), None);
    }
}
