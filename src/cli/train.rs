//! `descent train`: the epoch loop, and what is logged and saved along it.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Map, json};

use super::run_folder::{self, RunFolder};
use super::session::Session;
use super::{device, inspect, progress, table};
use crate::checkpoint::{self, Info, Progress};
use crate::config::Config;
use crate::data::Splits;
use crate::error::{Error, Result};
use crate::model::Network;
use crate::optim::Optimizer;
use crate::trainer::{EarlyStopping, Evaluation, Every, Trainer};

const QUICK_START: &str = include_str!("../../configs/quick-start.toml");

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The config; left out: the quick start, an MLP on the embedded MNIST sample.
    config: Option<PathBuf>,
    /// Change a key of the config, as in --set optimizer.lr=0.01.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The run folder; left out: runs/CONFIG-TIME.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// auto, cpu, cuda or cuda:N.
    #[arg(long, default_value = "auto")]
    device: String,
    /// Start from these weights, a state dict by the model's names.
    #[arg(long, value_name = "FILE.safetensors")]
    init_from: Option<PathBuf>,
    /// The number of threads; all cores by default.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Build everything, print the resolved config and the model, train nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &Arguments, quiet: bool) -> anyhow::Result<()> {
    device::use_threads(arguments.threads)?;
    let config = match &arguments.config {
        Some(path) => Config::read(path, &arguments.set)?,
        None => Config::parse(QUICK_START, "quick-start.toml", &arguments.set)?,
    };
    let out = arguments.out.clone().unwrap_or_else(|| {
        let name = arguments.config.as_ref().and_then(|path| path.file_stem());
        run_folder::default_path(&name.map_or("quick-start".into(), |name| name.to_string_lossy()))
    });
    RunFolder::check(&out)?;
    let device = device::choose(&arguments.device)?;
    let Session { splits, network } = Session::open(&config, &device)?;
    if let Some(path) = &arguments.init_from {
        let state = checkpoint::load(path)?;
        network
            .params()
            .load(&state)
            .map_err(|e| Error::data(path, format!("these weights do not fit: {e}")))?;
    }
    let optimizer = Optimizer::new(config.optimizer.clone(), network.params())?;
    let trainer = Trainer::new(
        network,
        config.loss.clone(),
        (optimizer, config.schedule.clone()),
        config.train.clone(),
        config.seed,
    )?;
    trainer.check(&splits.train)?;
    if arguments.dry_run {
        return print_plan(&config, trainer.network());
    }
    let folder = RunFolder::create(&out, &config.to_toml()?)?;
    let mut run = Run { config, splits, trainer, folder, quiet, started: Instant::now(), best: None };
    let finished = run.train().and_then(|last| run.finish(last));
    let summary = match finished {
        Ok(summary) => summary,
        Err(error) => {
            if run.folder.discard_if_empty() {
                tracing::info!("nothing was trained yet, {} was removed again", out.display());
            }
            return Err(error.into());
        }
    };
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "{summary}")?;
    Ok(())
}

fn print_plan(config: &Config, network: &Network) -> anyhow::Result<()> {
    let state = network.params().state();
    let infos: Vec<Info> = state
        .iter()
        .map(|(name, tensor)| Info {
            name: (*name).to_owned(),
            dtype: tensor.dtype().as_str().to_uppercase(),
            shape: tensor.dims().to_vec(),
        })
        .collect();
    let mut out = std::io::stdout().lock();
    write!(out, "{}\n{}", config.to_toml()?, inspect::describe(&infos))?;
    Ok(())
}

/// The best epoch so far, by the validation loss or the metric that early stopping watches.
#[derive(Debug, Clone, Copy)]
struct Best {
    epoch: u64,
    score: f64,
}

/// A run under way.
struct Run {
    config: Config,
    splits: Splits,
    trainer: Trainer,
    folder: RunFolder,
    quiet: bool,
    started: Instant,
    best: Option<Best>,
}

/// What an epoch came to.
struct Epoch {
    number: u64,
    /// The mean loss of its batches, each before its own update.
    train_loss: f64,
    lr: f64,
    rows: u64,
    time: Duration,
    /// Whether `max_steps` ended it.
    last: bool,
}

impl Run {
    /// All epochs; gives the number of the last one.
    fn train(&mut self) -> Result<u64> {
        let epochs = self.config.train.epochs;
        for number in 1..=epochs {
            let epoch = self.epoch(number)?;
            let validation = match &self.splits.validation {
                Some(data) => Some(self.trainer.evaluate(data)?),
                None => None,
            };
            let improved = self.judge(&epoch, validation.as_ref())?;
            self.report(&epoch, validation.as_ref())?;
            if improved {
                self.folder.save_model(self.trainer.network().params())?;
            }
            let stop = epoch.last || self.out_of_patience(number);
            if self.config.train.checkpoint_every == Every::Epoch || number == epochs || stop {
                self.checkpoint(&Progress { epoch: number, step: self.trainer.steps(), step_in_epoch: 0 })?;
            }
            if stop {
                return Ok(number);
            }
        }
        Ok(epochs)
    }

    /// One pass over the training rows.
    fn epoch(&mut self, number: u64) -> Result<Epoch> {
        let start = Instant::now();
        let batches = self.trainer.batches(&self.splits.train, number);
        let rows: usize = batches.iter().map(Vec::len).sum();
        let mut bar = progress::Bar::new(rows as u64, number, self.config.train.epochs, self.quiet);
        let (mut loss_sum, mut total, mut seen, mut lr, mut last) = (0.0, 0.0, 0, 0.0, false);
        for (index, rows) in batches.iter().enumerate() {
            let update = self.trainer.update(&self.splits.train, rows, number)?;
            loss_sum += update.loss_sum;
            total += update.total;
            seen += update.rows as u64;
            lr = update.lr;
            bar.update(&update);
            if matches!(self.config.train.checkpoint_every, Every::Steps(every) if update.step % every == 0) {
                self.checkpoint(&Progress {
                    epoch: number,
                    step: update.step,
                    step_in_epoch: index as u64 + 1,
                })?;
            }
            if self.config.train.max_steps > 0 && update.step >= self.config.train.max_steps {
                last = true;
                break;
            }
        }
        bar.finish();
        Ok(Epoch { number, train_loss: loss_sum / total, lr, rows: seen, time: start.elapsed(), last })
    }

    /// Whether these are the weights to keep: the best so far, or the last where nothing is validated.
    fn judge(&mut self, epoch: &Epoch, validation: Option<&Evaluation>) -> Result<bool> {
        let stop = self.config.train.early_stopping.as_ref();
        if validation.is_none() && stop.is_none() {
            return Ok(true);
        }
        let monitor = stop.map_or("val_loss", |stop| stop.monitor.as_str());
        let Some(value) = numbers(epoch, validation).into_iter().find(|(name, _)| name == monitor) else {
            let known: Vec<String> = numbers(epoch, validation).into_iter().map(|(name, _)| name).collect();
            return Err(Error::Config(format!(
                "`train.early_stopping.monitor` is `{}`; known are {}",
                monitor.escape_debug(),
                known.join(", ")
            )));
        };
        let smaller_is_better = ["loss", "rmse", "mae"].iter().any(|name| monitor.ends_with(name));
        let score = if smaller_is_better { -value.1 } else { value.1 };
        let needed = stop.map_or(0.0, |stop| stop.min_delta);
        let improved = self.best.is_none_or(|best| score > best.score + needed);
        if improved {
            self.best = Some(Best { epoch: epoch.number, score });
        }
        Ok(improved)
    }

    fn out_of_patience(&self, epoch: u64) -> bool {
        match (&self.config.train.early_stopping, self.best) {
            (Some(EarlyStopping { patience, .. }), Some(best)) => epoch - best.epoch >= *patience,
            _ => false,
        }
    }

    fn report(&mut self, epoch: &Epoch, validation: Option<&Evaluation>) -> Result<()> {
        let numbers = numbers(epoch, validation);
        if !self.quiet {
            let epochs = self.config.train.epochs;
            eprintln!("{}", progress::line(epoch.number, epochs, &numbers, epoch.rows, epoch.time));
        }
        let mut line = Map::new();
        line.insert("kind".to_owned(), "epoch".into());
        line.insert("epoch".to_owned(), epoch.number.into());
        line.insert("step".to_owned(), self.trainer.steps().into());
        line.extend(numbers.into_iter().map(|(name, value)| (name, json!(value))));
        line.insert("lr".to_owned(), epoch.lr.into());
        line.insert("seconds".to_owned(), epoch.time.as_secs_f64().into());
        line.insert("samples".to_owned(), epoch.rows.into());
        self.folder.log(line)
    }

    fn checkpoint(&self, progress: &Progress) -> Result<()> {
        if self.config.train.checkpoint_every == Every::Never {
            return Ok(());
        }
        let keep = self.config.train.keep_last;
        checkpoint::save_checkpoint(&self.folder.checkpoints(), &self.trainer, progress, keep).map(|_| ())
    }

    /// Tests the best weights and writes the final line; gives the summary for the terminal.
    fn finish(&mut self, last_epoch: u64) -> Result<String> {
        let best = self.best.map_or(last_epoch, |best| best.epoch);
        let mut rows = vec![vec!["run".to_owned(), self.folder.path().display().to_string()]];
        let mut line = Map::new();
        line.insert("kind".to_owned(), "final".into());
        line.insert("epoch".to_owned(), last_epoch.into());
        line.insert("step".to_owned(), self.trainer.steps().into());
        line.insert("best_epoch".to_owned(), best.into());
        if let Some(test) = &self.splits.test {
            if best != last_epoch {
                let weights = self.folder.path().join("model.safetensors");
                self.trainer.network().params().load(&checkpoint::load(&weights)?)?;
            }
            let Evaluation { loss, metrics } = self.trainer.evaluate(test)?;
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
    rows.iter().fold(String::new(), |text, row| format!("{text}{:<15}{}\n", row[0], row[1]))
}

/// The numbers of an epoch by name.
fn numbers(epoch: &Epoch, validation: Option<&Evaluation>) -> Vec<(String, f64)> {
    let mut numbers = vec![("train_loss".to_owned(), epoch.train_loss)];
    if let Some(Evaluation { loss, metrics }) = validation {
        numbers.push(("val_loss".to_owned(), *loss));
        numbers.extend(metrics.iter().map(|(name, value)| (format!("val_{name}"), *value)));
    }
    numbers
}
