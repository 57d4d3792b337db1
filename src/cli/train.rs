//! `descent train`: from the arguments to a run.

use std::io::Write;
use std::path::{Path, PathBuf};

use candle_core::Device;
use clap::Args;

use super::epochs::Run;
use super::run_folder::{self, RunFolder};
use super::session::Session;
use super::{device, inspect};
use crate::checkpoint::{self, Info};
use crate::config::Config;
use crate::data::Splits;
use crate::error::{Error, Result};
use crate::model::Network;
use crate::optim::Optimizer;
use crate::trainer::Trainer;

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
    /// The number of threads; as many as there are cores by default, 8 at most.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Build everything, print the resolved config and the model, train nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(arguments: &Arguments, quiet: bool) -> anyhow::Result<()> {
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
    let prepared = prepare(&config, &device, arguments.init_from.as_deref());
    let (splits, trainer) = prepared.map_err(|error| config.locate(error))?;
    if arguments.dry_run {
        return print_plan(&config, trainer.network());
    }
    let mut text = config.to_toml()?;
    if let Some(path) = &arguments.init_from {
        text = format!("# --init-from {}\n{text}", path.display().to_string().escape_debug());
    }
    let folder = RunFolder::create(&out, &text)?;
    let located = config.clone();
    let mut run = Run::new(config, splits, trainer, folder, quiet);
    match run.go() {
        Ok(summary) => write!(std::io::stdout().lock(), "{summary}").map_err(Into::into),
        Err(error) => {
            if run.discard_if_empty() {
                tracing::info!("nothing was trained yet, {} was removed again", out.display());
            }
            Err(located.locate(error).into())
        }
    }
}

/// Loads the data and builds all that trains on it; nothing is written yet.
fn prepare(config: &Config, device: &Device, init_from: Option<&Path>) -> Result<(Splits, Trainer)> {
    let Session { splits, network, loss } = Session::open(config, device)?;
    if let Some(path) = init_from {
        let loaded = network.params().load(&checkpoint::load(path)?);
        loaded.map_err(|e| Error::data(path, format!("these weights do not fit: {e}")))?;
    }
    let optimizer = Optimizer::new(config.optimizer.clone(), network.params())?;
    let plan = (optimizer, config.schedule.clone());
    let trainer = Trainer::new(network, loss, plan, config.train.clone(), config.seed)?;
    trainer.check(&splits.train)?;
    Ok((splits, trainer))
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
