//! `descent train`: from the arguments to a run.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use candle_core::Device;
use clap::Args;

use super::epochs::{Finished, Options, Outcome, Run};
use super::messages::Messages;
use super::resume::{self, Change};
use super::run_folder::{self, RunFolder};
use super::session::{self, Session};
use super::{device, inspect, several, table};
use crate::checkpoint::{self, Info};
use crate::config::Config;
use crate::data::{Dataset, Splits};
use crate::error::{Error, Result};
use crate::model::Network;
use crate::trainer::Trainer;

const QUICK_START: &str = include_str!("../../configs/quick-start.toml");

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
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
    /// Take NaN and infinite values in the weights of --init-from as they are.
    #[arg(long, requires = "init_from")]
    allow_nonfinite: bool,
    /// Go on with the run in this folder from its newest good checkpoint, with its own config.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "out", "init_from"])]
    resume: Option<PathBuf>,
    /// A dashboard on the whole terminal: curves, progress, messages.
    #[arg(long, conflicts_with_all = ["folds", "dry_run"])]
    pub(super) tui: bool,
    /// Go on training where a checkpoint cannot be written, on a full disk for instance.
    #[arg(long)]
    keep_going: bool,
    /// Train so many times, each time tested on another part of the rows, and print mean and spread.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(2..=1000), conflicts_with = "resume")]
    folds: Option<u64>,
    /// The number of threads; as many as there are cores by default, 8 at most.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Build everything, print the resolved config and the model, train nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(arguments: &Arguments, quiet: bool, messages: Messages) -> anyhow::Result<ExitCode> {
    device::use_threads(arguments.threads)?;
    if arguments.tui && !std::io::stderr().is_terminal() {
        let problem = "--tui: standard error is no terminal; leave it out";
        return Err(Error::Config(problem.to_owned()).into());
    }
    let dashboard = arguments.tui.then_some(messages);
    let options = Options { quiet, dashboard, signals: None, keep_going: arguments.keep_going };
    let (run, config) = match (&arguments.resume, arguments.folds) {
        (Some(path), _) => match go_on(arguments, path, options)? {
            Some(run) => run,
            None => return Ok(ExitCode::SUCCESS),
        },
        (None, Some(folds)) => return several::folds(arguments, folds, &options),
        (None, None) => {
            let config = config(arguments, &[])?;
            match start(arguments, &config, &out(arguments), options)? {
                Some(run) => (run, config),
                None => return Ok(ExitCode::SUCCESS),
            }
        }
    };
    match train(run, &config, quiet)? {
        Ended::Finished(finished) => {
            write!(std::io::stdout().lock(), "{}", finished.summary)?;
            Ok(ExitCode::SUCCESS)
        }
        Ended::Stopped(code) => Ok(code),
    }
}

/// How a run ended that did not fail.
pub(super) enum Ended {
    /// With its results.
    Finished(Finished),
    /// By a signal, after saving.
    Stopped(ExitCode),
}

/// Trains to the end, or until a signal.
pub(super) fn train(mut run: Run, config: &Config, quiet: bool) -> anyhow::Result<Ended> {
    match run.go() {
        Ok(Outcome::Finished(finished)) => Ok(Ended::Finished(finished)),
        Ok(Outcome::Stopped(signal, step)) => {
            if !quiet {
                let (name, path) = (signal.name(), run.path().display());
                super::say(&format!(
                    "stopped by {name} after saving at step {step}; go on with: descent train --resume {path}"
                ));
            }
            Ok(Ended::Stopped(ExitCode::from(signal.exit_code())))
        }
        Err(error) => {
            let path = run.path().to_path_buf();
            if run.discard_if_empty() {
                tracing::info!("nothing was trained yet, {} was removed again", path.display());
            }
            Err(config.locate(error).into())
        }
    }
}

/// The config that the arguments name, with more settings behind theirs.
pub(super) fn config(arguments: &Arguments, more: &[String]) -> Result<Config> {
    let set = [arguments.set.as_slice(), more].concat();
    match &arguments.config {
        Some(path) => Config::read(path, &set),
        None => Config::parse(QUICK_START, "quick-start.toml", &set),
    }
}

/// The folder that the arguments name.
pub(super) fn out(arguments: &Arguments) -> PathBuf {
    arguments.out.clone().unwrap_or_else(|| {
        let name = arguments.config.as_ref().and_then(|path| path.file_stem());
        run_folder::default_path(&name.map_or("quick-start".into(), |name| name.to_string_lossy()))
    })
}

/// A run from its beginning; nothing where only its plan was asked for.
pub(super) fn start(
    arguments: &Arguments,
    config: &Config,
    out: &Path,
    options: Options,
) -> anyhow::Result<Option<Run>> {
    RunFolder::check(out)?;
    let device = device::choose(&arguments.device)?;
    let initialize = |trainer: &Trainer| match &arguments.init_from {
        Some(path) => initialize(trainer, path, arguments.allow_nonfinite),
        None => Ok(()),
    };
    if arguments.dry_run {
        let prepared = prepare(config, &device).map_err(|error| config.locate(error))?;
        initialize(&prepared.1)?;
        return print_plan(config, prepared.1.network()).map(|()| None);
    }
    let init_from = arguments.init_from.as_ref();
    let init_from =
        init_from.map(|path| format!("--init-from {}", path.display().to_string().escape_debug()));
    let gpu = device::describe(&device).map(|gpu| format!("on {}", gpu.escape_debug()));
    let note = init_from.into_iter().chain(gpu).fold(String::new(), |text, line| text + "# " + &line + "\n");
    Ok(Some(begin(config, (out, note), &device, options, &initialize)?))
}

/// A run from its beginning in the folder `out`, whose config begins with a note.
pub(super) fn begin(
    config: &Config,
    (out, note): (&Path, String),
    device: &Device,
    options: Options,
    initialize: &dyn Fn(&Trainer) -> Result<()>,
) -> Result<Run> {
    RunFolder::check(out)?;
    let prepared = prepare(config, device).map_err(|error| config.locate(error))?;
    initialize(&prepared.1)?;
    if !options.quiet {
        describe(&prepared.0);
    }
    let folder = RunFolder::create(out, &(note + &config.to_toml()?), &prepared.0.preprocessing)?;
    Run::new(config.clone(), prepared, folder, options, None)
}

/// A run from its newest good checkpoint. Nothing in its folder is changed before all is known to fit.
fn go_on(arguments: &Arguments, path: &Path, options: Options) -> anyhow::Result<Option<(Run, Config)>> {
    let lock = run_folder::lock_run(path)?;
    let config = Config::read(&path.join("config.toml"), &arguments.set)?;
    let found = RunFolder::newest(path)?;
    for (_, problem) in &found.damaged {
        tracing::warn!("{problem}; going on from the checkpoint before it, {}", found.path.display());
    }
    let changes = resume::changes(path, &found.progress, &config)?;
    let device = device::choose(&arguments.device)?;
    let (splits, mut trainer) = prepare(&config, &device).map_err(|error| config.locate(error))?;
    resume::require_same_data(&found, &config, &splits)?;
    trainer.restore(&found.snapshot).map_err(|error| {
        Error::data(
            &found.path,
            format!("{error}; a run goes on with the network and the optimizer that it has"),
        )
    })?;
    if arguments.dry_run {
        return print_plan(&config, trainer.network()).map(|()| None);
    }
    let folder = RunFolder::reopen(path, &found, lock)?;
    if !changes.is_empty() {
        let said: Vec<String> = changes.iter().map(Change::describe).collect();
        let note = format!("from step {} on: {}", found.progress.step, said.join(", ").escape_debug());
        tracing::info!("{note}");
        folder.change_config(&config.to_toml()?, &note)?;
    }
    tracing::info!("going on from {}", found.path.display());
    let run = Run::new(config.clone(), (splits, trainer), folder, options, Some(found.progress))?;
    Ok(Some((run, config)))
}

/// Loads the data and builds all that trains on it; nothing is written yet.
fn prepare(config: &Config, device: &Device) -> Result<(Splits, Trainer)> {
    let Session { splits, network, loss } = Session::open(config, None, device)?;
    let trainer = session::trainer(config, network, loss)?;
    trainer.check(&splits.train)?;
    if config.train.cuda_graph && !trainer.queues() {
        tracing::warn!(
            "`train.cuda_graph` has no effect here: it needs a GPU, an optimizer that moves each element by itself, and \
             no `train.average`"
        );
    }
    Ok((splits, trainer))
}

/// Starts from the weights of a file.
fn initialize(trainer: &Trainer, path: &Path, allow_nonfinite: bool) -> Result<()> {
    let state = checkpoint::load_checked(path, allow_nonfinite)?;
    let loaded = trainer.network().params().load(&state);
    loaded.map_err(|e| Error::data(path, format!("these weights do not fit: {e}")))
}

/// Says what the columns of a table were taken for, and how many rows there are.
fn describe(splits: &Splits) {
    let Some(encoder) = splits.preprocessing.table() else { return };
    let lines: Vec<Vec<String>> =
        encoder.describe().into_iter().map(|(name, text)| vec![name, text]).collect();
    super::say(table::render(&lines).trim_end());
    let rows = |data: &Option<Dataset>| data.as_ref().map_or(0, Dataset::len) as u64;
    let parts = [
        ("to train on", splits.train.len() as u64),
        ("to validate", rows(&splits.validation)),
        ("to test on", rows(&splits.test)),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(what, rows)| format!("{} {what}", table::thousands(*rows)))
        .collect();
    super::say(&format!("rows: {}; features: {:?}", parts.join(", "), splits.preprocessing.row));
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
