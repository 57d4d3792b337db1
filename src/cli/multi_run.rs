//! Several runs of one command, which share its signals: the folds of a cross-validation, the variants of a comparison.

use super::screen::Screen;
use super::signals::{Signals, Stop};
use crate::error::Result;
use crate::run::{End, Finished, Interrupt, Run};

/// How a run ended that did not fail.
pub(super) enum Ended {
    /// With its results.
    Finished(Finished),
    /// By a signal: with the run that was saved, or between two runs.
    Stopped(Option<Finished>, Stop),
}

/// The runs of one command.
pub(super) struct MultiRun {
    signals: Signals,
}

impl MultiRun {
    /// Listens for signals. Between two runs they end the process at once.
    pub(super) fn listen() -> Result<Self> {
        let signals = Signals::listen(Interrupt::default(), false)?;
        signals.set_idle(true);
        Ok(Self { signals })
    }

    /// For the options of each run.
    pub(super) fn interrupt(&self) -> &Interrupt {
        self.signals.interrupt()
    }

    /// Trains one of the runs. A signal during it ends them all.
    pub(super) fn train(&self, run: Run, quiet: bool) -> Result<Ended> {
        self.signals.set_idle(false);
        let finished = run.train(&mut Screen::lines(quiet));
        self.signals.set_idle(true);
        let finished = finished?;
        Ok(match (finished.end, self.signals.stop()) {
            (End::Completed, None) => Ended::Finished(finished),
            (End::Completed, Some(signal)) => Ended::Stopped(None, signal),
            (End::Interrupted, signal) => Ended::Stopped(Some(finished), signal.unwrap_or(Stop::Interrupt)),
        })
    }
}
