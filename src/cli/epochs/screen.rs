//! What a user sees of a run while it goes: bars and lines, or a dashboard on the whole terminal.

use signal_hook::consts::{SIGINT, SIGUSR1};
use signal_hook::low_level::raise;

use crate::checkpoint::Sums;
use crate::cli::dashboard::{Dashboard, Key, Progress};
use crate::cli::messages::Messages;
use crate::cli::{progress, say};
use crate::error::{Error, Result};

/// What shows a run.
pub(super) enum Screen {
    /// A bar an epoch on a terminal, and a line an epoch, unless all is to be quiet.
    Lines { quiet: bool, bar: Option<progress::Bar> },
    /// A dashboard, which shows the lines of the log too.
    Dashboard { dashboard: Box<Dashboard>, messages: Messages, rows: u64 },
}

/// Where an update stands.
pub(super) struct At {
    pub(super) epoch: u64,
    pub(super) step: u64,
    /// The mean loss of its rows.
    pub(super) loss: f64,
    /// The seconds of the epoch so far.
    pub(super) seconds: f64,
}

impl Screen {
    pub(super) fn lines(quiet: bool) -> Self {
        Self::Lines { quiet, bar: None }
    }

    /// Takes the terminal over.
    pub(super) fn dashboard(title: &str, epochs: u64, messages: &Messages) -> Result<Self> {
        let opened = Dashboard::open(title, epochs);
        let dashboard = Box::new(opened.map_err(|e| Error::Config(format!("--tui: {e}")))?);
        messages.keep();
        Ok(Self::Dashboard { dashboard, messages: messages.clone(), rows: 0 })
    }

    /// An epoch of so many rows begins.
    pub(super) fn begin(&mut self, number: u64, epochs: u64, of: u64) {
        match self {
            Self::Lines { quiet, bar } => *bar = Some(progress::Bar::new(of, (number, epochs), *quiet)),
            Self::Dashboard { rows, .. } => *rows = of,
        }
    }

    /// An update was made; `at` says where.
    pub(super) fn update(&mut self, sums: &Sums, at: impl FnOnce() -> At) {
        match self {
            Self::Lines { bar, .. } => {
                if let Some(bar) = bar {
                    bar.update(sums);
                }
            }
            Self::Dashboard { dashboard, messages, rows } => {
                let At { epoch, step, loss, seconds } = at();
                let progress = Progress {
                    epoch,
                    rows: sums.rows,
                    rows_in_epoch: *rows,
                    loss,
                    lr: sums.lr,
                    seconds,
                    step,
                };
                let asked = dashboard.update(&progress);
                messages.take().iter().for_each(|line| dashboard.say(line));
                // What a key asks for goes the way of the signal that asks for it.
                let _ = match asked {
                    None => Ok(()),
                    Some(Key::Stop | Key::Abort) => raise(SIGINT),
                    Some(Key::Save) => raise(SIGUSR1),
                };
            }
        }
    }

    /// The epoch's updates are made, or a signal has come.
    pub(super) fn end(&mut self) {
        if let Self::Lines { bar, .. } = self
            && let Some(bar) = bar.take()
        {
            bar.finish();
        }
    }

    /// The numbers of an epoch.
    pub(super) fn report(&mut self, epoch: (u64, u64), numbers: &[(String, f64)], sums: &Sums) {
        match self {
            Self::Lines { quiet: true, .. } => {}
            Self::Lines { .. } => say(&progress::line(epoch, numbers, sums)),
            Self::Dashboard { dashboard, messages, .. } => {
                dashboard.epoch(epoch.0, numbers, sums.lr);
                messages.take().iter().for_each(|line| dashboard.say(line));
            }
        }
    }

    /// Gives the terminal back.
    pub(super) fn close(&mut self) {
        self.end();
        if let Self::Dashboard { dashboard, messages, .. } = self {
            messages.take().iter().for_each(|line| dashboard.say(line));
            dashboard.close();
            messages.release();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}
