//! A run under way: the epoch loop, and what is logged and saved along it.

use std::cell::OnceCell;
use std::path::Path;
use std::time::Instant;

use serde_json::{Map, json};

use super::run_folder::RunFolder;
use super::signals::{Signals, Stop};
use super::watch::Watch;
use super::{progress, table};
use crate::checkpoint::{Progress, Sums};
use crate::config::Config;
use crate::data::{Fingerprint, Splits};
use crate::error::Result;
use crate::trainer::{Evaluation, Every, Trainer};

/// A run under way.
pub(crate) struct Run {
    config: Config,
    splits: Splits,
    trainer: Trainer,
    folder: RunFolder,
    options: Options,
    signals: Signals,
    watch: Watch,
    place: Place,
    /// What is known of the rows; worked out when the first checkpoint needs it.
    data: OnceCell<Fingerprint>,
    /// The step of the last checkpoint.
    saved: Option<u64>,
    /// When `model.safetensors` was last written.
    kept: Option<Instant>,
}

/// How a run goes about it; nothing here changes a bit of the result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Whether nothing is said of progress.
    pub(crate) quiet: bool,
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
    /// With a summary for the terminal.
    Finished(String),
    /// By a signal, after saving at this step.
    Stopped(Stop, u64),
}

impl Run {
    /// A run that is ready to start, or to go on from where `progress` says.
    pub(crate) fn new(
        config: Config,
        (splits, trainer): (Splits, Trainer),
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
        let signals = Signals::listen()?;
        let run =
            Self { config, splits, trainer, folder, options, signals, watch, place, data, saved, kept: None };
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
        self.finish().map(Outcome::Finished)
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
        let batches = self.trainer.batches(&self.splits.train, number);
        let rows: usize = batches.iter().map(Vec::len).sum();
        let mut bar = progress::Bar::new(rows as u64, (number, self.config.train.epochs), self.options.quiet);
        let (first, last) = (usize::try_from(self.place.updates).unwrap_or(usize::MAX), batches.len());
        for (index, rows) in batches.iter().enumerate().skip(first) {
            if self.limit_is_reached() {
                // A run that is given more steps goes on from within the epoch.
                self.place.within = Some(timed(sums));
                self.checkpoint()?;
                break;
            }
            let update = self.trainer.update(&self.splits.train, rows, number)?;
            sums.loss += update.loss_sum;
            sums.total += update.total;
            sums.rows += update.rows as u64;
            sums.lr = update.lr;
            self.place.updates += 1;
            bar.update(&sums);
            // After the last update the epoch is ended first.
            if index + 1 < last && self.interrupted(|| timed(sums))? {
                return Ok(false);
            }
        }
        bar.finish();
        self.place.within = Some(timed(sums));
        Ok(true)
    }

    /// Saves what is due within an epoch. Says whether a signal asks to stop.
    fn interrupted(&mut self, sums: impl FnOnce() -> Sums) -> Result<bool> {
        let stop = self.signals.stop().is_some();
        let step = self.trainer.steps();
        let due =
            matches!(self.config.train.checkpoint_every, Every::Steps(every) if step.is_multiple_of(every));
        let asked = self.signals.take_save();
        if stop || due || asked {
            self.place.within = Some(sums());
            self.save()?;
        }
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

    /// Where nothing is judged the last weights are the ones to keep; an epoch can take less than writing them does.
    fn was_long_ago(&self) -> bool {
        self.kept.is_none_or(|kept| kept.elapsed().as_secs() >= 1)
    }

    fn keep_model(&mut self) -> Result<()> {
        let saved = self.folder.save_model(self.trainer.network().params());
        self.kept = Some(Instant::now());
        self.forgive(saved)
    }

    /// The numbers of an epoch by name.
    fn measure(&self, train_loss: f64) -> Result<Vec<(String, f64)>> {
        let train = Some(&self.splits.train).filter(|_| self.config.train.measure_train);
        let mut numbers = vec![("train_loss".to_owned(), train_loss)];
        for (prefix, data) in [("val", self.splits.validation.as_ref()), ("train_end", train)] {
            let Some(data) = data else { continue };
            let Evaluation { loss, metrics, .. } = self.trainer.evaluate(data)?;
            numbers.push((format!("{prefix}_loss"), loss));
            numbers.extend(metrics.into_iter().map(|(name, value)| (format!("{prefix}_{name}"), value)));
        }
        Ok(numbers)
    }

    fn report(&mut self, sums: &Sums, numbers: &[(String, f64)]) -> Result<()> {
        let epoch = self.place.epoch;
        if !self.options.quiet {
            let epochs = self.config.train.epochs;
            super::say(&progress::line((epoch, epochs), numbers, sums));
        }
        let mut line = Map::new();
        line.insert("kind".to_owned(), "epoch".into());
        line.insert("epoch".to_owned(), epoch.into());
        line.insert("step".to_owned(), self.trainer.steps().into());
        line.extend(numbers.iter().map(|(name, value)| (name.clone(), json!(value))));
        line.insert("lr".to_owned(), sums.lr.into());
        line.insert("seconds".to_owned(), sums.seconds.into());
        line.insert("samples".to_owned(), sums.rows.into());
        let logged = self.folder.log(line);
        self.forgive(logged)
    }

    /// Writes a checkpoint, where the config does not ask for none.
    fn checkpoint(&mut self) -> Result<()> {
        if self.config.train.checkpoint_every == Every::Never {
            return Ok(());
        }
        self.save()
    }

    /// Writes a checkpoint, unless this step has one.
    fn save(&mut self) -> Result<()> {
        let step = self.trainer.steps();
        if self.saved == Some(step) {
            return Ok(());
        }
        self.trainer.require_finite(self.place.epoch)?;
        if self.data.get().is_none() {
            let _ = self.data.set(Fingerprint::of(&self.splits)?);
        }
        let progress = Progress {
            config: self.config.to_toml()?,
            epoch: self.place.epoch,
            step,
            step_in_epoch: self.place.updates,
            seconds: self.seconds(),
            within: self.place.within,
            judged: self.watch.judged().clone(),
            data: self.data.get().cloned().unwrap_or_default(),
            ..Progress::default()
        };
        match self.folder.save_checkpoint(&self.trainer, progress, self.config.train.keep_last) {
            Ok(saved) => {
                tracing::debug!("saved {} ({} bytes)", saved.path.display(), saved.bytes);
                self.saved = Some(step);
                Ok(())
            }
            failed => self.forgive(failed.map(|_| ())),
        }
    }

    /// With --keep-going what could not be written is a warning.
    fn forgive(&self, written: Result<()>) -> Result<()> {
        match written {
            Err(error) if self.options.keep_going => {
                tracing::warn!("{error}; going on without, as --keep-going asks");
                Ok(())
            }
            result => result,
        }
    }

    /// Saves and stops because a signal asks to.
    fn stop(&mut self) -> Result<Outcome> {
        self.save()?;
        // The last weights are the ones to keep where nothing is judged; an average is made at an epoch's end.
        if self.watch.judged().best.is_none() && self.config.train.average.is_none() {
            self.keep_model()?;
        }
        let step = self.trainer.steps();
        Ok(Outcome::Stopped(self.signals.stop().unwrap_or(Stop::Interrupt), step))
    }

    /// Tests the best weights and writes the final line; gives the summary for the terminal.
    fn finish(&mut self) -> Result<String> {
        let last_epoch = self.place.epoch;
        let best = self.watch.best_epoch().unwrap_or(last_epoch);
        let mut rows = vec![vec!["run".to_owned(), self.folder.path().display().to_string()]];
        let mut line = Map::new();
        line.insert("kind".to_owned(), "final".into());
        line.insert("epoch".to_owned(), last_epoch.into());
        line.insert("step".to_owned(), self.trainer.steps().into());
        line.insert("best_epoch".to_owned(), best.into());
        if let Some(test) = &self.splits.test {
            if best != last_epoch || self.config.train.average.is_some() {
                self.folder.load_model(self.trainer.network().params())?;
            }
            let Evaluation { loss, metrics, .. } = self.trainer.evaluate(test)?;
            for (name, value) in std::iter::once(("loss", loss)).chain(metrics) {
                rows.push(vec![format!("test_{name}"), format!("{value:.4}")]);
                line.insert(format!("test_{name}"), json!(value));
            }
        }
        let seconds = self.seconds();
        line.insert("seconds".to_owned(), seconds.into());
        self.folder.log(line)?;
        self.folder.sync_log()?;
        rows.push(vec!["updates".to_owned(), table::thousands(self.trainer.steps())]);
        rows.push(vec!["seconds".to_owned(), format!("{seconds:.2}")]);
        Ok(summary(&rows))
    }
}

/// A name and a value a line.
fn summary(rows: &[Vec<String>]) -> String {
    let width = rows.iter().map(|row| row[0].len()).max().unwrap_or(0) + 2;
    rows.iter().fold(String::new(), |text, row| format!("{text}{:<width$}{}\n", row[0], row[1]))
}
