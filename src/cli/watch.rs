//! Which epoch was the best, and when it has been too long ago.

use crate::checkpoint::{Judged, Scored};
use crate::trainer::EarlyStopping;

/// Watches the validation loss, or the metric that early stopping names.
#[derive(Debug)]
pub(crate) struct Watch {
    stop: Option<EarlyStopping>,
    judged: Judged,
}

impl Watch {
    /// Goes on from what was judged so far; from nothing where that was by another metric.
    pub(crate) fn new(stop: Option<EarlyStopping>, judged: Judged) -> Self {
        let monitor = stop.clone().unwrap_or_default().monitor;
        let judged = if judged.monitor == monitor { judged } else { Judged { monitor, ..Judged::default() } };
        Self { stop, judged }
    }

    /// What was judged so far.
    pub(crate) fn judged(&self) -> &Judged {
        &self.judged
    }

    /// Takes the numbers of an epoch; says whether its weights are the ones to keep: the best so far, or the last
    /// where nothing is validated.
    pub(crate) fn see(&mut self, epoch: u64, numbers: &[(String, f64)]) -> bool {
        let default = EarlyStopping::default();
        let stop = self.stop.as_ref().unwrap_or(&default);
        let Some((_, value)) = numbers.iter().find(|(name, _)| *name == stop.monitor) else {
            return true;
        };
        let score = if stop.smaller_is_better() { -value } else { *value };
        let now = Scored { epoch, score };
        let Judged { best, improved, .. } = &mut self.judged;
        if improved.is_none_or(|last| score > last.score + stop.min_delta) {
            *improved = Some(now);
        }
        let better = best.is_none_or(|best| score > best.score);
        if better {
            *best = Some(now);
        }
        better
    }

    /// Whether this epoch was one too many without getting better. With a patience of 0 the first such epoch is.
    pub(crate) fn out_of_patience(&self, epoch: u64) -> bool {
        match (&self.stop, self.judged.improved) {
            (Some(stop), Some(last)) => epoch > last.epoch && epoch - last.epoch >= stop.patience,
            _ => false,
        }
    }

    /// The best epoch, where one was judged.
    pub(crate) fn best_epoch(&self) -> Option<u64> {
        self.judged.best.map(|best| best.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the epochs whose weights are kept, and the one that ended the run.
    fn run(stop: EarlyStopping, losses: &[f64]) -> (Vec<u64>, Option<u64>) {
        let mut watch = Watch::new(Some(stop), Judged::default());
        let mut kept = Vec::new();
        for (epoch, loss) in (1..).zip(losses) {
            if watch.see(epoch, &[("val_loss".to_owned(), *loss)]) {
                kept.push(epoch);
            }
            if watch.out_of_patience(epoch) {
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
        // Small steps are kept, though they are not enough to go on.
        assert_eq!(run(stop(2, 0.5), &[3.0, 2.9, 2.8, 2.7]), (vec![1, 2, 3], Some(3)));
    }

    #[test]
    fn without_validation_the_last_weights_are_kept() {
        let mut watch = Watch::new(None, Judged::default());
        let numbers = [("train_loss".to_owned(), 1.0)];
        assert!(watch.see(1, &numbers) && watch.see(2, &numbers));
        assert_eq!(watch.best_epoch(), None);
    }
}
