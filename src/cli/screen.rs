//! The display of a run while it trains: a bar and a line per epoch, or a dashboard on the whole terminal.

use signal_hook::consts::{SIGINT, SIGUSR1};
use signal_hook::low_level::raise;

use super::dashboard::{Dashboard, KeyAction, UpdateProgress};
use super::messages::{Messages, print_line};
use super::progress;
use crate::error::{Error, Result};
use crate::run::{EpochEnd, EpochStart, Finished, Observer, UpdateEnd};

/// Shows a run.
pub(super) enum Screen {
    /// On a terminal a bar for the epoch under way, and a line per epoch unless `quiet`.
    Lines { quiet: bool, bar: Option<progress::Bar> },
    /// A dashboard, which also shows the log messages.
    Dashboard { dashboard: Box<Dashboard>, messages: Messages, rows: usize },
}

impl Screen {
    pub(super) fn lines(quiet: bool) -> Self {
        Self::Lines { quiet, bar: None }
    }

    /// Takes over the terminal.
    pub(super) fn dashboard(title: &str, epochs: u64, messages: Messages) -> Result<Self> {
        let opened = Dashboard::open(title, epochs);
        let dashboard = Box::new(opened.map_err(|e| Error::Config(format!("--tui: {e}")))?);
        messages.keep();
        Ok(Self::Dashboard { dashboard, messages, rows: 0 })
    }

    /// Restores the terminal.
    fn close(&mut self) {
        self.updates_end();
        if let Self::Dashboard { dashboard, messages, .. } = self {
            messages.take().iter().for_each(|line| dashboard.add_message(line));
            dashboard.close();
            messages.release();
        }
    }
}

impl Observer for Screen {
    fn epoch_start(&mut self, epoch: &EpochStart) {
        match self {
            Self::Lines { quiet, bar } => *bar = Some(progress::Bar::new(epoch, *quiet)),
            Self::Dashboard { rows, .. } => *rows = epoch.rows,
        }
    }

    fn update_end(&mut self, update: &UpdateEnd<'_>) {
        match self {
            Self::Lines { bar, .. } => {
                if let Some(bar) = bar {
                    bar.update(update.sums);
                }
            }
            Self::Dashboard { dashboard, messages, rows } => {
                let asked = dashboard.update(&UpdateProgress {
                    epoch: update.epoch,
                    rows: update.sums.rows,
                    rows_in_epoch: *rows as u64,
                    loss: update.loss,
                    lr: update.sums.lr,
                    seconds: update.seconds(),
                    step: update.step,
                });
                messages.take().iter().for_each(|line| dashboard.add_message(line));
                // A key does what the signal of the same meaning does.
                let _ = match asked {
                    None => Ok(()),
                    Some(KeyAction::Stop | KeyAction::Abort) => raise(SIGINT),
                    Some(KeyAction::Save) => raise(SIGUSR1),
                };
            }
        }
    }

    fn updates_end(&mut self) {
        if let Self::Lines { bar, .. } = self
            && let Some(bar) = bar.take()
        {
            bar.finish();
        }
    }

    fn epoch_end(&mut self, epoch: &mut EpochEnd<'_>) -> Result<()> {
        match self {
            Self::Lines { quiet: true, .. } => {}
            Self::Lines { .. } => print_line(&progress::line(epoch)),
            Self::Dashboard { dashboard, messages, .. } => {
                dashboard.watch(&epoch.watched);
                dashboard.epoch(epoch.epoch, epoch.metrics, epoch.sums.lr);
                messages.take().iter().for_each(|line| dashboard.add_message(line));
            }
        }
        Ok(())
    }

    fn train_end(&mut self, _: &Finished) -> Result<()> {
        self.close();
        Ok(())
    }

    fn train_failed(&mut self, _: &Error) {
        self.close();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}
