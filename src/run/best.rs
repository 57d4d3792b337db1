//! The best epoch so far, and whether training has run out of patience.

use crate::checkpoint::{BestState, EpochScore};
use crate::names::counted;
use crate::numbers::number_to;
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

    /// Its state, for a checkpoint.
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
        let now = EpochScore { epoch, score };
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

    /// Why training stops at `epoch` for want of an improvement: the metric, its best value and when that was.
    pub(super) fn verdict(&self, epoch: u64) -> Option<String> {
        let (Some(stop), Some(last)) = (&self.stop, self.state.improved) else { return None };
        if !self.out_of_patience(epoch) {
            return None;
        }
        // A score is the value, or its negative.
        let (monitor, best) = (&stop.monitor, stop.direction().score(last.score));
        let least =
            if stop.min_delta > 0.0 { format!(" by {} or more", stop.min_delta) } else { String::new() };
        Some(format!(
            "stopped early after epoch {epoch}: `{}` has not improved on {} of epoch {}{least} for {}",
            monitor.escape_debug(),
            number_to(best, 6),
            last.epoch,
            counted(epoch - last.epoch, "epoch")
        ))
    }

    /// The sentence about a run of so many epochs that would have ended early, and whose last one is the best.
    pub(super) fn unfinished(&self, epochs: u64) -> Option<String> {
        let (stop, best) = (self.stop.as_ref()?, self.state.best?);
        (epochs > 1 && best.epoch == epochs).then(|| {
            format!(
                "`{}` is best in the last of {epochs} epochs; a larger `train.epochs` may go on improving it",
                stop.monitor.escape_debug()
            )
        })
    }

    /// The best epoch, where epochs are validated.
    pub(super) fn best_epoch(&self) -> Option<u64> {
        self.state.best.map(|best| best.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Ended {
        /// The epochs whose weights are kept.
        kept: Vec<u64>,
        /// The epoch that ends the run.
        at: Option<u64>,
    }

    fn run(stop: EarlyStopping, losses: &[f64]) -> Ended {
        let mut tracker = BestTracker::new(Some(stop), BestState::default());
        let mut kept = Vec::new();
        for (epoch, loss) in (1..).zip(losses) {
            if tracker.see(epoch, &[("val_loss".to_owned(), *loss)]) {
                kept.push(epoch);
            }
            if tracker.out_of_patience(epoch) {
                return Ended { kept, at: Some(epoch) };
            }
        }
        Ended { kept, at: None }
    }

    #[test]
    fn a_run_that_is_best_in_its_last_epoch_is_said_to_be_unfinished() {
        let stop = EarlyStopping { patience: 5, ..EarlyStopping::default() };
        let mut tracker = BestTracker::new(Some(stop), BestState::default());
        for (epoch, loss) in [(1, 3.0), (2, 2.0), (3, 1.0)] {
            tracker.see(epoch, &[("val_loss".to_owned(), loss)]);
        }
        let expected =
            "`val_loss` is best in the last of 3 epochs; a larger `train.epochs` may go on improving it";
        assert_eq!(tracker.unfinished(3).as_deref(), Some(expected));
        // Steps or time have ended it, or it had got worse.
        assert_eq!(tracker.unfinished(9), None);
        tracker.see(4, &[("val_loss".to_owned(), 1.5)]);
        assert_eq!(tracker.unfinished(4), None);
        let mut without = BestTracker::new(None, BestState::default());
        without.see(1, &[("val_loss".to_owned(), 1.0)]);
        assert_eq!(without.unfinished(1), None);
    }

    #[test]
    fn patience_counts_epochs_that_are_not_better_by_the_delta() {
        let stop = |patience, min_delta| EarlyStopping { patience, min_delta, ..EarlyStopping::default() };
        assert_eq!(
            run(stop(2, 0.0), &[3.0, 2.0, 2.5, 1.0, 1.1, 1.2]),
            Ended { kept: vec![1, 2, 4], at: Some(6) }
        );
        assert_eq!(run(stop(0, 0.0), &[3.0, 2.0, 2.5]), Ended { kept: vec![1, 2], at: Some(3) });
        // Improvements below the delta are kept, but patience runs on.
        assert_eq!(run(stop(2, 0.5), &[3.0, 2.9, 2.8, 2.7]), Ended { kept: vec![1, 2, 3], at: Some(3) });
    }

    #[test]
    fn an_early_stop_says_epoch_metric_and_best() {
        let stop =
            EarlyStopping { patience: 2, monitor: "val_accuracy".to_owned(), ..EarlyStopping::default() };
        let mut tracker = BestTracker::new(Some(stop), BestState::default());
        for (epoch, accuracy) in (1..).zip([0.5, 0.75, 0.6, 0.75]) {
            tracker.see(epoch, &[("val_accuracy".to_owned(), accuracy)]);
            assert_eq!(tracker.verdict(epoch).is_some(), epoch == 4);
        }
        let message = tracker.verdict(4).unwrap();
        let expected = "stopped early after epoch 4: `val_accuracy` has not improved on 0.750000 of epoch 2 for 2 epochs";
        assert_eq!(message, expected);
    }

    #[test]
    fn without_validation_the_last_weights_are_kept() {
        let mut tracker = BestTracker::new(None, BestState::default());
        let numbers = [("train_loss".to_owned(), 1.0)];
        assert!(tracker.see(1, &numbers) && tracker.see(2, &numbers));
        assert_eq!(tracker.best_epoch(), None);
    }
}
