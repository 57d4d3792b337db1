//! A run under way: the epoch loop, and what is logged and saved along it.

use std::time::{Duration, Instant};

use serde_json::{Map, json};

use super::run_folder::RunFolder;
use super::watch::Watch;
use super::{progress, table};
use crate::checkpoint::{self, Progress};
use crate::config::Config;
use crate::data::Splits;
use crate::error::Result;
use crate::trainer::{Evaluation, Every, Trainer};

/// A run under way.
pub(crate) struct Run {
    config: Config,
    splits: Splits,
    trainer: Trainer,
    folder: RunFolder,
    quiet: bool,
    started: Instant,
    watch: Watch,
}

/// What an epoch came to.
struct Epoch {
    number: u64,
    /// The mean loss of its batches, each before its own update.
    train_loss: f64,
    lr: f64,
    rows: u64,
    time: Duration,
    /// The updates made in it.
    updates: u64,
    /// Whether `max_steps` or `max_time` ended it.
    last: bool,
}

impl Run {
    /// A run that is ready to start.
    pub(crate) fn new(
        config: Config,
        splits: Splits,
        trainer: Trainer,
        folder: RunFolder,
        quiet: bool,
    ) -> Self {
        let watch = Watch::new(config.train.early_stopping.clone());
        Self { config, splits, trainer, folder, quiet, started: Instant::now(), watch }
    }

    /// Trains and tests; gives the summary for the terminal.
    pub(crate) fn go(&mut self) -> Result<String> {
        let last = self.train()?;
        self.finish(last)
    }

    /// Takes the folder of a run back that came to nothing. Says whether it did.
    pub(crate) fn discard_if_empty(self) -> bool {
        self.folder.discard_if_empty()
    }

    /// All epochs; gives the number of the last one.
    fn train(&mut self) -> Result<u64> {
        let epochs = self.config.train.epochs;
        for number in 1..=epochs {
            let epoch = self.epoch(number)?;
            self.trainer.require_finite(number)?;
            self.trainer.end_epoch(number)?;
            // What is judged and kept is the average of the weights, where one is wanted.
            let raw = self.trainer.enter_average(&self.splits.train)?;
            let numbers = self.measure(&epoch)?;
            self.report(&epoch, &numbers)?;
            self.trainer.observe(&numbers);
            if self.watch.see(number, &numbers) {
                self.folder.save_model(self.trainer.network().params())?;
            }
            self.trainer.leave_average(raw)?;
            let stop = number == epochs || epoch.last || self.watch.out_of_patience(number);
            if stop || self.config.train.checkpoint_every == Every::Epoch {
                self.checkpoint(number, epoch.updates)?;
            }
            if stop {
                return Ok(number);
            }
        }
        Ok(epochs)
    }

    /// The numbers of an epoch by name.
    fn measure(&self, epoch: &Epoch) -> Result<Vec<(String, f64)>> {
        let train = Some(&self.splits.train).filter(|_| self.config.train.measure_train);
        let mut numbers = vec![("train_loss".to_owned(), epoch.train_loss)];
        for (prefix, data) in [("val", self.splits.validation.as_ref()), ("train_end", train)] {
            let Some(data) = data else { continue };
            let Evaluation { loss, metrics, .. } = self.trainer.evaluate(data)?;
            numbers.push((format!("{prefix}_loss"), loss));
            numbers.extend(metrics.into_iter().map(|(name, value)| (format!("{prefix}_{name}"), value)));
        }
        Ok(numbers)
    }

    /// One pass over the training rows.
    fn epoch(&mut self, number: u64) -> Result<Epoch> {
        let start = Instant::now();
        let batches = self.trainer.batches(&self.splits.train, number);
        let rows: usize = batches.iter().map(Vec::len).sum();
        let mut bar = progress::Bar::new(rows as u64, number, self.config.train.epochs, self.quiet);
        let mut epoch = Epoch {
            number,
            train_loss: 0.0,
            lr: 0.0,
            rows: 0,
            time: Duration::ZERO,
            updates: 0,
            last: false,
        };
        let (mut loss_sum, mut total) = (0.0, 0.0);
        for rows in &batches {
            let update = self.trainer.update(&self.splits.train, rows, number)?;
            loss_sum += update.loss_sum;
            total += update.total;
            epoch.rows += update.rows as u64;
            epoch.lr = update.lr;
            epoch.updates += 1;
            bar.update(&update);
            if matches!(self.config.train.checkpoint_every, Every::Steps(every) if update.step % every == 0) {
                self.checkpoint(number, epoch.updates)?;
            }
            epoch.last = update.step == self.config.train.max_steps || self.out_of_time();
            if epoch.last {
                break;
            }
        }
        bar.finish();
        epoch.train_loss = loss_sum / total;
        epoch.time = start.elapsed();
        Ok(epoch)
    }

    fn out_of_time(&self) -> bool {
        let limit = self.config.train.max_time;
        limit > 0.0 && self.started.elapsed().as_secs_f64() >= limit
    }

    fn report(&mut self, epoch: &Epoch, numbers: &[(String, f64)]) -> Result<()> {
        if !self.quiet {
            let epochs = self.config.train.epochs;
            super::say(&progress::line(epoch.number, epochs, numbers, epoch.rows, epoch.time));
        }
        let mut line = Map::new();
        line.insert("kind".to_owned(), "epoch".into());
        line.insert("epoch".to_owned(), epoch.number.into());
        line.insert("step".to_owned(), self.trainer.steps().into());
        line.extend(numbers.iter().map(|(name, value)| (name.clone(), json!(value))));
        line.insert("lr".to_owned(), epoch.lr.into());
        line.insert("seconds".to_owned(), epoch.time.as_secs_f64().into());
        line.insert("samples".to_owned(), epoch.rows.into());
        self.folder.log(line)
    }

    fn checkpoint(&self, epoch: u64, step_in_epoch: u64) -> Result<()> {
        if self.config.train.checkpoint_every == Every::Never {
            return Ok(());
        }
        let progress = Progress { epoch, step: self.trainer.steps(), step_in_epoch };
        let keep = self.config.train.keep_last;
        checkpoint::save_checkpoint(&self.folder.checkpoints(), &self.trainer, &progress, keep).map(|_| ())
    }

    /// Tests the best weights and writes the final line; gives the summary for the terminal.
    fn finish(&mut self, last_epoch: u64) -> Result<String> {
        let best = self.watch.best_epoch().unwrap_or(last_epoch);
        let mut rows = vec![vec!["run".to_owned(), self.folder.path().display().to_string()]];
        let mut line = Map::new();
        line.insert("kind".to_owned(), "final".into());
        line.insert("epoch".to_owned(), last_epoch.into());
        line.insert("step".to_owned(), self.trainer.steps().into());
        line.insert("best_epoch".to_owned(), best.into());
        if let Some(test) = &self.splits.test {
            if best != last_epoch || self.config.train.average.is_some() {
                let weights = self.folder.path().join("model.safetensors");
                self.trainer.network().params().load(&checkpoint::load(&weights)?)?;
            }
            let Evaluation { loss, metrics, .. } = self.trainer.evaluate(test)?;
            for (name, value) in std::iter::once(("loss", loss)).chain(metrics) {
                rows.push(vec![format!("test_{name}"), format!("{value:.4}")]);
                line.insert(format!("test_{name}"), json!(value));
            }
        }
        let seconds = self.started.elapsed().as_secs_f64();
        line.insert("seconds".to_owned(), seconds.into());
        self.folder.log(line)?;
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
