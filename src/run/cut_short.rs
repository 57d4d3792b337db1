//! The report of a run that ended before it was done: by `max_time`, whose length was not known when it began, or in its last
//! epoch while that was the best.

use super::Run;
use crate::names::counted;
use crate::optim::schedule::RunLength;

impl Run {
    /// Logs that the last epoch is the best, or that `max_time` has ended the run, and the lengths of the schedule and the average that were not reached.
    pub(super) fn report_cut(&self) {
        let (steps, run) = (self.trainer.steps(), &self.config.run);
        if let Some(unfinished) = self.tracker.unfinished(run.epochs) {
            tracing::info!("{unfinished}");
        }
        if !self.limit_reached || (run.max_steps > 0 && steps >= run.max_steps) {
            return;
        }
        let epoch = self.position.epoch;
        tracing::info!(
            "`train.max_time` of {} s ended the run in epoch {epoch} of {}, after {}",
            run.max_time,
            run.epochs,
            counted(steps, "update")
        );
        let reached = RunLength { epochs: epoch, updates: steps };
        let mut cut = self.trainer.optimizer().plan().check_length(reached).unwrap_or_default();
        let average = self.config.train.average.as_ref().and_then(|average| average.warning(steps));
        cut.extend(average.map(|error| error.under("train.average")));
        for error in cut {
            tracing::warn!("`{}` {}", error.path.escape_debug(), error.problem);
        }
    }
}
