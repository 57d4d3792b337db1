//! A run under way: the epoch loop, and what is logged and saved along it.

mod reporting;
mod saving;
mod screen;

use std::cell::OnceCell;
use std::path::Path;
use std::time::Instant;

use self::screen::{At, Screen};
use super::messages::Messages;
use super::run_folder::RunFolder;
use super::signals::{Signals, Stop};
use super::watch::Watch;
use crate::checkpoint::{Progress, Sums};
use crate::config::Config;
use crate::data::{Fingerprint, Splits};
use crate::error::{Error, Result};
use crate::trainer::{Every, Trainer};

/// A run under way.
pub(crate) struct Run {
    config: Config,
    splits: Splits,
    trainer: Trainer,
    folder: RunFolder,
    options: Options,
    screen: Screen,
    signals: Signals,
    watch: Watch,
    place: Place,
    /// What is known of the rows; worked out when the first checkpoint needs it.
    data: OnceCell<Fingerprint>,
    /// The numbers of the best epoch so far, or of the last where none is judged.
    best: Vec<(String, f64)>,
    /// The step of the last checkpoint.
    saved: Option<u64>,
    /// When `model.safetensors` was last written.
    kept: Option<Instant>,
}

/// How a run goes about it; nothing here changes a bit of the result.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Whether nothing is said of progress.
    pub(crate) quiet: bool,
    /// Where the lines of the log are, for a dashboard in the place of bars and lines.
    pub(crate) dashboard: Option<Messages>,
    /// The signals of a command that makes several runs; left out: the run listens itself.
    pub(crate) signals: Option<Signals>,
    /// Whether training goes on where a checkpoint cannot be written.
    pub(crate) keep_going: bool,
}

/// Where a run stands.
struct Place {
    /// The epoch, from 1; 0 before the first.
    epoch: u64,
    /// The updates made in it.
    updates: u64,
    /// Its sums so far, where it is not over.
    within: Option<Sums>,
    /// The seconds of earlier processes.
    seconds: f64,
    started: Instant,
}

/// How a run ended.
pub(crate) enum Outcome {
    /// With its results.
    Finished(Finished),
    /// By a signal, after saving at this step.
    Stopped(Stop, u64),
}

/// The results of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Finished {
    /// For the terminal.
    pub(crate) summary: String,
    /// The seconds that it took.
    pub(crate) seconds: f64,
    /// The numbers of the test split by name, and those of the best epoch.
    pub(crate) numbers: Vec<(String, f64)>,
}

impl Run {
    /// A run that is ready to start, or to go on from where `progress` says.
    pub(crate) fn new(
        config: Config,
        (splits, mut trainer): (Splits, Trainer),
        folder: RunFolder,
        options: Options,
        progress: Option<Progress>,
    ) -> Result<Self> {
        let saved = progress.as_ref().map(|progress| progress.step);
        let progress = progress.unwrap_or_default();
        let data = OnceCell::new();
        if saved.is_some() {
            let _ = data.set(progress.data);
        }
        let watch = Watch::new(config.train.early_stopping.clone(), progress.judged);
        let place = Place {
            epoch: progress.epoch,
            updates: progress.step_in_epoch,
            within: progress.within,
            seconds: progress.seconds,
            started: Instant::now(),
        };
        let signals = match &options.signals {
            Some(signals) => signals.clone(),
            None => Signals::listen(options.dashboard.is_some())?,
        };
        signals.set_idle(false);
        let screen = match &options.dashboard {
            Some(messages) => {
                Screen::dashboard(&folder.path().display().to_string(), config.train.epochs, messages)?
            }
            None => Screen::lines(options.quiet),
        };
        trainer.interrupt_by(signals.stopping());
        let (kept, best) = (None, Vec::new());
        let run = Self {
            config,
            splits,
            trainer,
            folder,
            options,
            screen,
            signals,
            watch,
            place,
            data,
            best,
            saved,
            kept,
        };
        Ok(run)
    }

    /// Trains and tests.
    pub(crate) fn go(&mut self) -> Result<Outcome> {
        while !self.is_over() {
            if !self.epoch()? {
                return self.stop();
            }
            self.end_epoch()?;
            if self.signals.stop().is_some() && !self.is_over() {
                return self.stop();
            }
        }
        let finished = self.finish()?;
        self.screen.close();
        Ok(Outcome::Finished(finished))
    }

    /// The run's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes the folder of a run back that came to nothing. Says whether it did.
    pub(crate) fn discard_if_empty(self) -> bool {
        self.folder.discard_if_empty()
    }

    /// Whether no further update is to be made; asked between epochs.
    fn is_over(&self) -> bool {
        let Place { epoch, within, .. } = &self.place;
        within.is_none()
            && (*epoch >= self.config.train.epochs
                || self.watch.out_of_patience(*epoch)
                || self.limit_is_reached())
    }

    /// Whether `max_steps` or `max_time` ends the run.
    fn limit_is_reached(&self) -> bool {
        let options = &self.config.train;
        let steps = options.max_steps > 0 && self.trainer.steps() >= options.max_steps;
        // Nothing was done yet: an update at least is made.
        let begun = self.trainer.steps() > 0;
        steps || (begun && options.max_time > 0.0 && self.seconds() >= options.max_time)
    }

    /// The seconds that the run has taken, by all its processes.
    fn seconds(&self) -> f64 {
        self.place.seconds + self.place.started.elapsed().as_secs_f64()
    }

    /// The next epoch, or the rest of one. Gives whether its last update was made, as opposed to a signal that came.
    fn epoch(&mut self) -> Result<bool> {
        if self.place.within.is_none() {
            self.place.epoch += 1;
            self.place.updates = 0;
        }
        let (number, start) = (self.place.epoch, Instant::now());
        let mut sums = self.place.within.unwrap_or_default();
        let before = sums.seconds;
        let timed = |sums| Sums { seconds: before + start.elapsed().as_secs_f64(), ..sums };
        let batches = self.trainer.updates(&self.splits.train, number);
        self.screen.begin(number, self.config.train.epochs, batches.rows() as u64);
        let (first, last) = (usize::try_from(self.place.updates).unwrap_or(usize::MAX), batches.len());
        for (index, rows) in batches.enumerate().skip(first) {
            if self.limit_is_reached() {
                self.settle(&mut sums, timed)?;
                // A run that is given more steps goes on from within the epoch.
                self.place.within = Some(timed(sums));
                self.checkpoint()?;
                break;
            }
            let submitted = self.trainer.submit(&self.splits.train, &rows, number);
            self.count(&mut sums, timed);
            match submitted {
                Err(Error::Interrupted) => {
                    self.settle(&mut sums, timed)?;
                    self.screen.end();
                    self.place.within = Some(timed(sums));
                    return Ok(false);
                }
                submitted => submitted.map_err(|error| self.record_failure(error))?,
            }
            // After the last update the epoch is ended first.
            if index + 1 < last && self.asks_to_save() {
                self.settle(&mut sums, timed)?;
                if self.interrupted(|| timed(sums))? {
                    self.screen.end();
                    return Ok(false);
                }
            }
        }
        self.settle(&mut sums, timed)?;
        self.screen.end();
        self.place.within = Some(timed(sums));
        Ok(true)
    }

    /// Takes the updates that became known into the epoch's sums.
    fn count(&mut self, sums: &mut Sums, timed: impl Fn(Sums) -> Sums) {
        for update in self.trainer.take_known() {
            sums.loss += update.loss_sum;
            sums.total += update.total;
            sums.rows += update.rows as u64;
            sums.lr = update.lr;
            self.place.updates += 1;
            let (epoch, step, loss) = (self.place.epoch, update.step, update.loss_sum / update.total);
            self.screen.update(sums, || At { epoch, step, loss, seconds: timed(*sums).seconds });
        }
    }

    /// Waits for what a GPU still has to do, and takes it into the epoch's sums.
    fn settle(&mut self, sums: &mut Sums, timed: impl Fn(Sums) -> Sums) -> Result<()> {
        let waited = self.trainer.wait(&self.splits.train);
        self.count(sums, timed);
        waited.map_err(|error| self.record_failure(error))
    }

    /// Whether a signal asks for something, or a checkpoint is due within the epoch.
    fn asks_to_save(&self) -> bool {
        let step = self.trainer.steps();
        let due =
            matches!(self.config.train.checkpoint_every, Every::Steps(every) if step.is_multiple_of(every));
        due || self.signals.stop().is_some() || self.signals.asks_to_save()
    }

    /// Saves what is asked for within an epoch. Says whether a signal asks to stop.
    fn interrupted(&mut self, sums: impl FnOnce() -> Sums) -> Result<bool> {
        let stop = self.signals.stop().is_some();
        self.signals.take_save();
        self.place.within = Some(sums());
        self.save()?;
        Ok(stop)
    }

    /// Measures, logs, keeps and saves what is due at the end of an epoch.
    fn end_epoch(&mut self) -> Result<()> {
        let number = self.place.epoch;
        let sums = self.place.within.take().unwrap_or_default();
        self.trainer.require_finite(number)?;
        self.trainer.end_epoch(number)?;
        // What is judged and kept is the average of the weights, where one is wanted.
        let raw = self.trainer.enter_average(&self.splits.train)?;
        let numbers = self.measure(sums.loss / sums.total)?;
        self.report(&sums, &numbers)?;
        self.trainer.observe(&numbers);
        let better = self.watch.see(number, &numbers);
        if better {
            self.best.clone_from(&numbers);
        }
        if better && (self.watch.judged().best.is_some() || self.is_over() || self.was_long_ago()) {
            self.keep_model()?;
        }
        self.trainer.leave_average(raw)?;
        let due = match self.config.train.checkpoint_every {
            Every::Epoch => true,
            Every::Steps(every) => self.trainer.steps().is_multiple_of(every) || self.is_over(),
            Every::Never => false,
        };
        if due {
            self.checkpoint()?;
        }
        if self.signals.take_save() {
            self.save()?;
        }
        Ok(())
    }
}
