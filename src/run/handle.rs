//! A run: its parts, and how it begins and ends.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::best::BestTracker;
use super::fingerprint::RowsFingerprint;
use super::folder::RunFolder;
use super::kept::KeptModel;
use super::observer::{End, EpochTimer, Finished, Observer};
use super::options::RunOptions;
use super::ranks;
use super::tensorboard::TensorBoard;
use crate::checkpoint::{Progress, Sums};
use crate::config::{Config, RunConfig};
use crate::data::Splits;
use crate::error::{Error, Result};
use crate::names::counted_are;
use crate::trainer::Trainer;

/// A run that is ready to train.
///
/// [`Run::create`] starts one in a new folder, [`Run::resume`] continues one from its newest good checkpoint.
pub struct Run {
    pub(super) config: Config,
    pub(super) splits: Splits,
    pub(super) trainer: Trainer,
    /// Nothing where another rank writes it.
    pub(super) folder: Option<RunFolder>,
    pub(super) tensorboard: Option<TensorBoard>,
    pub(super) options: RunOptions,
    pub(super) tracker: BestTracker,
    pub(super) position: RunPosition,
    pub(super) fingerprint: RowsFingerprint,
    /// The metrics of the best epoch so far, or of the last where nothing is validated.
    pub(super) best_metrics: Vec<(String, f64)>,
    /// The step of the last checkpoint.
    pub(super) saved: Option<u64>,
    /// When it was written.
    pub(super) saved_at: Option<Instant>,
    /// The state of `model.safetensors`.
    pub(super) model: KeptModel,
    /// Whether `max_steps` or `max_time` has ended the run, as it was after the last update.
    pub(super) limit_reached: bool,
    /// Whether the time is up, where ranks agree on it.
    pub(super) time_is_up: Option<Arc<AtomicBool>>,
}

/// The position of a run in its training.
pub(super) struct RunPosition {
    /// The epoch, from 1; 0 before the first.
    pub(super) epoch: u64,
    /// The updates made in it.
    pub(super) updates: u64,
    /// Its sums so far, where it is not over.
    pub(super) within: Option<Sums>,
    /// The batches that were skipped in the epochs before.
    pub(super) skipped: u64,
    /// The seconds of the whole run.
    clock: EpochTimer,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (folder, step) = (self.folder(), self.trainer.steps());
        f.debug_struct("Run").field("folder", &folder).field("step", &step).finish_non_exhaustive()
    }
}

impl RunPosition {
    /// The position of a run at a checkpoint.
    fn at(progress: &Progress) -> Self {
        Self {
            epoch: progress.epoch,
            updates: progress.step_in_epoch,
            within: progress.within,
            skipped: progress.skipped,
            clock: EpochTimer::start(progress.seconds),
        }
    }
}

impl Run {
    /// A run at its beginning, or at the checkpoint that `progress` describes.
    pub(super) fn new(
        config: Config,
        splits: Splits,
        mut trainer: Trainer,
        folder: Option<RunFolder>,
        mut options: RunOptions,
        progress: Option<Progress>,
    ) -> Result<Self> {
        let saved = progress.as_ref().map(|progress| progress.step);
        let known = progress.as_ref().map(|progress| progress.data.clone());
        let fingerprint = known.map_or_else(RowsFingerprint::default, RowsFingerprint::of_checkpoint);
        let progress = progress.unwrap_or_default();
        let position = RunPosition::at(&progress);
        let tracker = BestTracker::new(config.run.early_stopping.clone(), progress.best_state);
        let model = KeptModel::of(tracker.state().best);
        let shown = folder.as_ref().filter(|_| config.run.tensorboard);
        let shown = shown.map(|folder| Ok::<_, Error>((folder.path(), config.to_toml()?))).transpose()?;
        let tensorboard = shown.map(|(path, text)| TensorBoard::new(path, saved, text));
        let (clock, max_time) = (position.clock, config.run.max_time);
        let is_time_up = move || max_time > 0.0 && clock.seconds() >= max_time;
        let time_is_up = ranks::end_by(&mut trainer, &mut options, is_time_up);
        Ok(Self {
            config,
            splits,
            trainer,
            folder,
            tensorboard,
            options,
            tracker,
            position,
            fingerprint,
            best_metrics: Vec::new(),
            saved,
            saved_at: None,
            model,
            limit_reached: false,
            time_is_up,
        })
    }

    /// Trains to the end and tests the best weights, or saves and ends early when [`RunOptions::interrupt`] asks to.
    ///
    /// # Errors
    /// Data, disk, or a loss that is no longer finite. A folder in which nothing was saved yet is removed again.
    pub fn train(mut self, observer: &mut dyn Observer) -> Result<Finished> {
        self.run(observer).map_err(|error| {
            let error = self.config.locate(error);
            // A disk that refused a checkpoint or the weights is not asked again.
            let refused = match &error {
                Error::Checkpoint { .. } => true,
                Error::Io { action, path, .. } => *action != "read" && path.starts_with(self.folder()),
                _ => false,
            };
            if !refused && let Err(problem) = self.write_model() {
                tracing::warn!("{problem}");
            }
            observer.train_failed(&error);
            let Some(own) = self.folder else { return error };
            let folder = own.path().to_path_buf();
            if own.discard_if_empty() {
                let removed = if folder.exists() { "the files in it were" } else { "it was" };
                tracing::info!("nothing was saved in {}: {removed} removed again", folder.display());
            }
            error
        })
    }

    /// Abandons a run that is not trained yet; the folder of a new one is removed again.
    pub fn discard(self) {
        self.folder.map(RunFolder::discard_if_empty);
    }

    fn run(&mut self, observer: &mut dyn Observer) -> Result<Finished> {
        self.trainer.agree()?;
        self.start_fingerprint();
        self.check_limit();
        let first = self.trainer.steps();
        let RunPosition { epoch: begun, .. } = self.position;
        let epochs = self.config.run.epochs;
        if begun > epochs {
            tracing::warn!(
                "`train.epochs` is {epochs}, but epoch {begun} has been trained, or a part of it; nothing of that is taken \
                 back, and a larger number goes on from there"
            );
        } else if self.saved.is_some() && self.is_over() {
            tracing::info!("nothing is left to train: {}", self.why_over());
        }
        while !self.is_over() {
            if !self.epoch(observer)? {
                return self.interrupted(observer);
            }
            if self.position.updates == 0 {
                self.leave_out_epoch(observer)?;
                break;
            }
            if !self.end_epoch(observer)? {
                return self.interrupted(observer);
            }
            if self.options.interrupt.is_stopping() && !self.is_over() {
                return self.interrupted(observer);
            }
        }
        if let Some(verdict) = self.tracker.verdict(self.position.epoch) {
            tracing::info!("{verdict}");
        } else if self.trainer.steps() > first {
            self.report_cut();
        }
        match self.finish(observer) {
            Err(Error::Interrupted) => self.interrupted(observer),
            finished => finished,
        }
    }

    /// Why the run is over, and the option with which a resumed run continues.
    fn why_over(&self) -> String {
        let RunConfig { epochs, max_steps, max_time, .. } = self.config.run;
        let steps = self.trainer.steps();
        if self.position.epoch >= epochs {
            let more = epochs.saturating_mul(2);
            return format!(
                "{} done; --set train.epochs={more} trains as many again",
                counted_are(epochs, "epoch")
            );
        }
        match self.tracker.verdict(self.position.epoch) {
            Some(_) => "early stopping has ended the run; a larger `train.early_stopping.patience` goes on"
                .to_owned(),
            None if max_steps > 0 && steps >= max_steps => {
                format!(
                    "`train.max_steps` is {max_steps}, and {} done; a larger one goes on",
                    counted_are(steps, "update")
                )
            }
            None => format!("`train.max_time` is {max_time} s, which is over; a larger one goes on"),
        }
    }

    /// The run's folder; an empty path where another rank has it.
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new(""), RunFolder::path)
    }

    /// Whether this process writes the run's folder: rank 0 does.
    pub fn owns_folder(&self) -> bool {
        self.folder.is_some()
    }

    /// The config.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The rows.
    pub fn splits(&self) -> &Splits {
        &self.splits
    }

    /// The trainer with the network.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// Whether no further update is to be made; asked between epochs.
    pub(super) fn is_over(&self) -> bool {
        let RunPosition { epoch, within, .. } = &self.position;
        within.is_none()
            && (*epoch >= self.config.run.epochs
                || self.tracker.out_of_patience(*epoch)
                || self.limit_reached)
    }

    /// Notes whether `max_steps` or `max_time` ends the run. It is asked once after each update: everything that is done at
    /// the end, such as keeping the last weights, must see one answer, and a clock would give several.
    pub(super) fn check_limit(&mut self) {
        let options = &self.config.run;
        let steps = options.max_steps > 0 && self.trainer.steps() >= options.max_steps;
        // At least one update is made.
        let begun = self.trainer.steps() > 0;
        self.limit_reached = steps || (begun && options.max_time > 0.0 && self.is_time_up());
    }

    /// The seconds that the run has taken, by all its processes.
    pub(super) fn seconds(&self) -> f64 {
        self.position.clock.seconds()
    }

    /// Ends the run before an epoch in which `max_time` left no update made.
    fn leave_out_epoch(&mut self, observer: &mut dyn Observer) -> Result<()> {
        self.position.epoch -= 1;
        self.position.within = None;
        if self.position.epoch == 0 {
            tracing::warn!(
                "`train.max_time` ended the run within its first update: the weights are those it started with"
            );
            self.keep_model()?;
        }
        self.checkpoint(observer)
    }

    /// Saves and ends because an interrupt asks to.
    fn interrupted(&mut self, observer: &mut dyn Observer) -> Result<Finished> {
        self.save(observer)?;
        // Where nothing is validated the last weights are kept; an average is only made at an epoch's end.
        if self.tracker.state().best.is_none() && self.config.train.average.is_none() {
            self.keep_model()?;
            self.write_model()?;
        }
        let finished = self.finished(End::Interrupted, Vec::new());
        observer.train_end(&finished)?;
        Ok(finished)
    }
}
