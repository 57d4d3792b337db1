//! The arguments of `descent train`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::Args;

use crate::cli::device::Compute;
use crate::cli::init::{given_reading, suggested};
use crate::cli::initial_weights::InitialWeights;
use crate::cli::paths;
use crate::cli::settings::Settings;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::names::as_strs;
use crate::run::{Interrupt, RunOptions};
use crate::suggest::{self, SuggestRequest};

const QUICK_START: &str = include_str!("../../../configs/quick-start.toml");

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(in crate::cli) struct Arguments {
    /// Config file, or a table, a picture folder or an .npz file, for which a config is made as `descent init` does; by
    /// default the quick start, an MLP on the embedded MNIST sample.
    #[arg(value_parser = paths::path())]
    pub(super) config: Option<PathBuf>,
    /// The column to predict, where a table is given instead of a config (repeatable: several numbers).
    #[arg(short, long = "target", value_name = "COLUMN", requires = "config")]
    pub(super) targets: Vec<String>,
    /// The config that was made for the data.
    #[arg(skip)]
    made: OnceLock<String>,
    #[command(flatten)]
    pub(super) set: Settings,
    /// Run folder to write, new or empty; by default runs/CONFIG-TIME. With --folds, the folder of all runs; run
    /// the same command again to resume.
    #[arg(long, value_name = "DIR", value_parser = paths::path())]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) initial: InitialWeights,
    /// Continue the run in this folder from its newest good checkpoint, with its own config.
    #[arg(
        long,
        value_name = "RUN",
        value_parser = paths::path(),
        conflicts_with_all = ["config", "out", "init_from"]
    )]
    pub(super) resume: Option<PathBuf>,
    /// Resume even if metrics.jsonl is damaged; it is renamed and a new log is started.
    // A config conflicts with --resume, beside which clap asks for no --resume.
    #[arg(long, requires = "resume", conflicts_with = "config")]
    pub(super) restart_log: bool,
    /// Show curves, progress and messages on a full-screen dashboard.
    #[arg(long, conflicts_with_all = ["folds", "dry_run"])]
    pub(in crate::cli) tui: bool,
    /// Continue training when a checkpoint cannot be written, for instance on a full disk.
    #[arg(long)]
    pub(super) keep_going: bool,
    /// K-fold cross-validation; prints mean and standard deviation of the metrics.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(2..=1000), conflicts_with = "resume")]
    pub(in crate::cli) folds: Option<u64>,
    /// Train on K folds of the rows that are not tested on, and average the K networks into one model; prints its score on
    /// the rows that each was not trained on (`oof_…`). Run the same command again to resume.
    #[arg(
        long,
        value_name = "K",
        value_parser = clap::value_parser!(u64).range(2..=1000),
        conflicts_with_all = ["resume", "folds", "tui"]
    )]
    pub(in crate::cli) bag: Option<u64>,
    /// Print the resolved config and the model's tensors without training.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Several ranks (MPI): seconds that a rank waits for the others before it fails.
    #[cfg(feature = "mpi")]
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    rank_timeout: u64,
    #[command(flatten)]
    pub(super) compute: Compute,
}

impl Arguments {
    /// The seconds that a rank waits for the others.
    #[cfg_attr(not(feature = "mpi"), allow(clippy::unused_self, reason = "there is no such option"))]
    pub(in crate::cli) fn rank_timeout(&self) -> u64 {
        #[cfg(feature = "mpi")]
        return self.rank_timeout;
        #[cfg(not(feature = "mpi"))]
        0
    }

    /// The config, with more settings after those of `--set`.
    pub(super) fn config(&self, more: &[String]) -> Result<Config> {
        let set = self.set.with(more);
        let set = as_strs(&set);
        match &self.config {
            Some(path) if suggest::is_data(path) => {
                let what = format!("the config that descent init writes for {}", path.display());
                Config::parse_unsaved(self.made_for(path)?, &what, &suggest::name_of(path), &set)
            }
            Some(path) if !self.targets.is_empty() => {
                let problem = "--target is for a table in place of a config";
                Err(Error::Config(format!(
                    "{problem}; {} has its own: --set data.target=… sets another",
                    path.display()
                )))
            }
            Some(path) => Config::read(path, &set),
            None => Config::parse_unsaved(QUICK_START, "the quick start's config", "quick-start", &set),
        }
    }

    /// The config that `descent init` writes for this data.
    fn made_for(&self, data: &Path) -> Result<&str> {
        if self.made.get().is_none() {
            let given = given_reading(&self.set.as_strs())?;
            let request = SuggestRequest { data, targets: &self.targets, config: None, given: &given };
            let _ = self.made.set(suggested(&request)?);
        }
        Ok(self.made.get().map_or("", String::as_str))
    }

    /// The options of a run in `folder`, by default the one of `--out`.
    pub(super) fn options(&self, folder: Option<PathBuf>, interrupt: &Interrupt) -> Result<RunOptions> {
        self.options_on(folder, interrupt, 0)
    }

    /// The same for the rank of this number on its machine, which takes the GPU of that number where there are some.
    pub(super) fn options_on(
        &self,
        folder: Option<PathBuf>,
        interrupt: &Interrupt,
        local: usize,
    ) -> Result<RunOptions> {
        Ok(self.initial.options(RunOptions {
            folder: folder.or_else(|| self.out.clone()),
            device: self.compute.device_of(local)?,
            keep_going: self.keep_going,
            restart_log: self.restart_log,
            interrupt: interrupt.clone(),
            ..RunOptions::default()
        }))
    }
}
