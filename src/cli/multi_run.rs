//! Several runs of one command, which share its signals: the folds of a cross-validation, the variants of a comparison.

use std::path::{Path, PathBuf};

use super::messages::{Messages, print_line};
use super::screen::Screen;
use super::signals::{Signals, Stop};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::run::standing::{Standing, require_intact, standing};
use crate::run::{self, End, Finished, Interrupt, PreparedRun, RunOptions};

/// One of the runs.
pub(super) struct Member {
    /// Its name: "fold 2".
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) config: Config,
    standing: Standing,
}

/// The outcome of one of the runs.
pub(super) enum RunOutcome {
    /// With these metrics.
    Finished(Vec<(String, f64)>),
    /// By an error; the others went on.
    Failed {
        /// The reason in a word: "diverged", "failed".
        what: &'static str,
        error: Error,
    },
}

/// The outcome of a run whose loss or gradients were not finite.
const DIVERGED: &str = "diverged";

impl RunOutcome {
    /// The metrics; empty where the run failed.
    pub(super) fn metrics(&self) -> &[(String, f64)] {
        match self {
            Self::Finished(metrics) => metrics,
            Self::Failed { .. } => &[],
        }
    }

    /// The error of a run whose config does not fit, which it shares with all others of the config.
    pub(super) fn misfit(self) -> std::result::Result<Self, Error> {
        match self {
            Self::Failed { error: error @ (Error::Config(_) | Error::Key(_)), .. } => Err(error),
            outcome => Ok(outcome),
        }
    }

    /// The same outcome, of whose failure a warning tells.
    pub(super) fn told(self, name: &str) -> Self {
        if let Self::Failed { error, .. } = &self {
            tracing::warn!("{name}: {error}");
        }
        self
    }

    /// The outcome of a run that failed, in a word.
    pub(super) fn failure(&self) -> Option<&'static str> {
        match self {
            Self::Finished(_) => None,
            Self::Failed { what, .. } => Some(what),
        }
    }
}

/// The folder of several runs.
pub(super) struct OutFolder {
    path: PathBuf,
    /// Whether this command chose it.
    is_claimed: bool,
}

impl OutFolder {
    /// The folder `out`, or a new one of this name.
    pub(super) fn new(out: Option<&PathBuf>, name: &str) -> Result<Self> {
        Ok(match out {
            Some(out) => Self { path: out.clone(), is_claimed: false },
            None => Self { path: run::claim_folder(name)?, is_claimed: true },
        })
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for OutFolder {
    fn drop(&mut self) {
        if self.is_claimed {
            run::release_folder(&self.path);
        }
    }
}

impl Member {
    /// The run of `config` in `folder`, which an earlier call of the command may have begun.
    ///
    /// # Errors
    /// The folder has another run.
    pub(super) fn new(name: String, folder: PathBuf, config: Config) -> Result<Self> {
        Self::begun(name, folder, config, |_, folder, differences| {
            format!(
                "--out: another config was trained in {}: {differences}; name another folder, or give the command as it was",
                folder.display()
            )
        })
    }

    /// The same of a command that goes on with several runs by --resume.
    ///
    /// # Errors
    /// The run was begun with another config.
    pub(super) fn resumed(name: String, folder: PathBuf, config: Config) -> Result<Self> {
        Self::begun(name, folder, config, |name, folder, differences| {
            format!(
                "--set: {name} in {} was begun with another config: {differences}; all networks of an average are trained \
                 alike, so leave these settings out, or train another average: descent train CONFIG --bag K",
                folder.display()
            )
        })
    }

    /// The run, where no other one is in its folder; `other` is the message about that one's name, folder and differences.
    fn begun(
        name: String,
        folder: PathBuf,
        config: Config,
        other: impl Fn(&str, &Path, &str) -> String,
    ) -> Result<Self> {
        match standing(&folder, &config)? {
            Standing::OtherConfig(differences) => Err(Error::Config(other(&name, &folder, &differences))),
            standing => Ok(Self { name, folder, config, standing }),
        }
    }
}

/// Checks that a folder is that of these runs, or empty.
pub(super) fn require_own<'a>(out: &OutFolder, mut members: impl Iterator<Item = &'a Member>) -> Result<()> {
    if members.any(|member| member.folder.exists()) {
        return Ok(());
    }
    run::require_free_folder(out.path())
}

/// The runs of one command.
pub(super) struct MultiRun {
    signals: Signals,
    messages: Messages,
}

impl MultiRun {
    /// Listens for signals. Between two runs they end the process at once. What the runs have to say alike is said once.
    pub(super) fn listen(messages: &Messages) -> Result<Self> {
        messages.say_once(true);
        let signals = Signals::listen(Interrupt::default(), false)?;
        signals.set_idle(true);
        Ok(Self { signals, messages: messages.clone() })
    }

    /// For the options of each run.
    pub(super) fn interrupt(&self) -> &Interrupt {
        self.signals.interrupt()
    }

    /// Trains one of the runs, unless an earlier call did. `see` is shown what is about to be trained, and can refuse it. A
    /// signal during it ends them all.
    pub(super) fn train(
        &self,
        member: &Member,
        options: RunOptions,
        screen: &mut Screen,
        see: impl FnOnce(&PreparedRun) -> Result<()>,
    ) -> std::result::Result<RunOutcome, Stop> {
        match &member.standing {
            Standing::Finished(metrics) => {
                return Ok(self.finished_before(member, metrics, &options));
            }
            Standing::Diverged(record) => {
                let problem = "the run diverged in an earlier call; remove its folder to train it again";
                return Ok(RunOutcome::Failed { what: DIVERGED, error: Error::data(record, problem) });
            }
            Standing::New | Standing::Stopped | Standing::OtherConfig(_) => {}
        }
        let begin = || {
            let run = PreparedRun::begin_or_resume(member.config.clone(), &member.standing, options)?;
            see(&run)?;
            run.start()
        };
        let finished = begin().and_then(|run| {
            self.signals.set_idle(false);
            self.messages.say_once(false);
            let finished = run.train(screen);
            self.messages.say_once(true);
            self.signals.set_idle(true);
            finished
        });
        let finished = match finished {
            Ok(finished) => finished,
            Err(error @ Error::Diverged { .. }) => return Ok(RunOutcome::Failed { what: DIVERGED, error }),
            Err(error) => return Ok(RunOutcome::Failed { what: "failed", error }),
        };
        match (finished.end, self.signals.stop()) {
            (End::Completed, None) => Ok(RunOutcome::Finished(self.finished(member, &finished))),
            (_, signal) => Err(signal.unwrap_or(Stop::Interrupt)),
        }
    }

    /// The outcome of a run of an earlier call: finished, if it is complete and was trained on the same rows.
    fn finished_before(
        &self,
        member: &Member,
        metrics: &[(String, f64)],
        options: &RunOptions,
    ) -> RunOutcome {
        if let Err(error) = require_intact(&member.folder, &member.config, options) {
            return RunOutcome::Failed { what: "failed", error };
        }
        self.print_line(&format!("{} has finished: {}", member.name, member.folder.display()));
        RunOutcome::Finished(metrics.to_vec())
    }

    fn finished(&self, member: &Member, finished: &Finished) -> Vec<(String, f64)> {
        let (name, folder) = (&member.name, member.folder.display());
        self.print_line(&format!("{name}: {:.2} s, in {folder}", finished.seconds));
        // Where an earlier process trained the best epoch, the log has its metrics.
        match standing(&member.folder, &member.config) {
            Ok(Standing::Finished(metrics)) => metrics,
            _ => finished.metrics(),
        }
    }

    fn print_line(&self, line: &str) {
        if !self.messages.is_quiet() {
            print_line(line);
        }
    }
}

/// Prints how to continue a command that a signal ended; returns the exit code.
pub(super) fn stopped(out: &Path, signal: Stop, quiet: bool) -> std::process::ExitCode {
    if !quiet {
        let (name, out) = (signal.name(), out.display());
        print_line(&format!("stopped by {name}; go on with the same command and --out {out}"));
    }
    std::process::ExitCode::from(signal.exit_code())
}

/// The error of a command some of whose runs failed; the first one's own where all did.
pub(super) fn failure(outcomes: Vec<(String, RunOutcome)>) -> Option<anyhow::Error> {
    let count = outcomes.len();
    let failed = outcomes.into_iter().filter_map(|(name, outcome)| match outcome {
        RunOutcome::Failed { error, .. } => Some((name, error)),
        RunOutcome::Finished(_) => None,
    });
    let mut failed: Vec<(String, Error)> = failed.collect();
    if failed.is_empty() {
        return None;
    }
    if failed.len() == count {
        return Some(failed.swap_remove(0).1.into());
    }
    let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    let (failed, names) = (failed.len(), names.join("; "));
    Some(anyhow::anyhow!("{failed} of {count} runs failed ({names}); the others were trained"))
}
