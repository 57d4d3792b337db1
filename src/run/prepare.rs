//! A run before its first update: the data is loaded and the network built, and nothing is written yet.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::RunFolder;
use super::initial_weights::{InitialPart, TakenWeights, misfit};
use super::new_folder::{self, NewFolder};
use super::options::RunOptions;
use super::resume;
use super::resumed::Resumed;
use super::session::{self, Session};
use super::{Run, device, doubts, ranks};
use crate::checkpoint;
use crate::config::Config;
use crate::data::Splits;
use crate::data::split::Bag;
use crate::error::{Error, Result};
use crate::model::Network;
use crate::trainer::{MissingMetric, Trainer, missing_metric};

/// A run whose data and network are ready, but whose folder is not written yet.
pub struct PreparedRun {
    config: Config,
    splits: Splits,
    trainer: Trainer,
    options: RunOptions,
    start: RunStart,
    taken: Option<TakenWeights>,
}

/// The parts of a run before its first update.
pub(crate) struct PreparedParts {
    /// The config.
    pub(crate) config: Config,
    /// The rows.
    pub(crate) splits: Splits,
    /// The network and the optimizer.
    pub(crate) trainer: Trainer,
}

/// The start of a run.
enum RunStart {
    /// At its beginning, in this folder, or in a new one of the config's name.
    New(Option<PathBuf>),
    /// At a checkpoint.
    Resumed(Box<Resumed>),
}

impl fmt::Debug for PreparedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedRun").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Run {
    /// Starts a run of this config in a new folder: loads the data, builds the network and writes the config.
    ///
    /// # Errors
    /// A config that does not fit the data, data that cannot be read, or a folder that already holds a run.
    pub fn create(config: Config, options: RunOptions) -> Result<Self> {
        PreparedRun::new(config, options)?.start()
    }

    /// Continues the run in `folder` from its newest good checkpoint. `overrides`, `KEY=VALUE` each, change its config;
    /// its seed, data and model stay.
    pub fn resume(folder: &Path, overrides: &[&str], options: RunOptions) -> Result<Self> {
        PreparedRun::resume(folder, overrides, options)?.start()
    }
}

impl PreparedRun {
    /// As [`Run::create`], but nothing is written before [`Self::start`].
    pub fn new(config: Config, options: RunOptions) -> Result<Self> {
        let checked = || {
            options.folder.as_deref().map_or(Ok(()), new_folder::require_free)?;
            check(&config)
        };
        ranks::agree(&*options.ranks, checked())?;
        let Ready { splits, trainer } = prepare(&config, &options)?;
        let taken =
            options.init_from.as_ref().map(|path| initialize(&trainer, path, &options)).transpose()?;
        let (start, taken) = (RunStart::New(options.folder.clone()), taken.flatten());
        Ok(Self { config, splits, trainer, options, start, taken })
    }

    /// As [`Run::resume`], but nothing is written before [`Self::start`].
    pub fn resume(folder: &Path, overrides: &[&str], options: RunOptions) -> Result<Self> {
        let resumed = Resumed::find(folder, overrides, &options);
        let resumed = resumed.and_then(|resumed| check(&resumed.config).map(|()| resumed));
        let resumed = ranks::agree(&*options.ranks, resumed)?;
        let (config, found) = (resumed.config.clone(), &resumed.found);
        let prepared = prepare(&config, &options);
        let Ready { splits, mut trainer } = prepared.map_err(|error| session::moved(error, &config))?;
        resume::require_same_data(found, &config, &splits)?;
        trainer.restore(&found.snapshot).map_err(|error| {
            let problem = format!("{error}; a run goes on with the network and the optimizer that it has");
            Error::data(&found.path, problem)
        })?;
        let start = RunStart::Resumed(Box::new(resumed));
        Ok(Self { config, splits, trainer, options, start, taken: None })
    }

    /// The config.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The rows of a batch.
    pub(crate) fn batch(&self) -> usize {
        self.config.train.batch_size.rows(self.splits.train.len())
    }

    /// The rows.
    pub fn splits(&self) -> &Splits {
        &self.splits
    }

    /// Requires that the run will have this number: `val_accuracy`, `test_loss`.
    ///
    /// # Errors
    /// The predicate of the error message, which lists the available metrics.
    pub(crate) fn require_metric(&self, metric: &str) -> Result<(), String> {
        if ["train_loss", "train_end_loss"].contains(&metric) {
            return Ok(());
        }
        let splits =
            [("val", self.splits.validation.as_ref()), ("test", self.splits.test.as_ref())].into_iter();
        let of_prefix = |(prefix, data)| Some((data, metric.strip_prefix(prefix)?.strip_prefix('_')?));
        let Some((data, name)) = splits.clone().find_map(of_prefix) else {
            let own = splits.filter(|(_, data)| data.is_some()).map(|(prefix, _)| format!("{prefix}_…"));
            let own: Vec<String> = own.chain(["train_loss".to_owned()]).collect();
            return Err(format!("is no number of a run; its metrics are called {}", own.join(", ")));
        };
        let Some(data) = data else {
            let key = if metric.starts_with("val") { "data.validation" } else { "data.test" };
            return Err(format!("needs rows that the run does not have; set `{key}`"));
        };
        let missing = missing_metric(name, self.trainer.loss(), self.splits.outputs, data);
        match missing.map_err(|error| format!("cannot be looked for: {error}"))? {
            None => Ok(()),
            Some(MissingMetric::Undefined(reason)) => {
                Err(format!("cannot be computed on its rows: {reason}"))
            }
            Some(MissingMetric::Unknown(known)) => {
                let prefix = metric.split('_').next().unwrap_or_default();
                let known: Vec<String> = known.iter().map(|name| format!("{prefix}_{name}")).collect();
                Err(format!("is no metric of the runs; they have {prefix}_loss, {}", known.join(", ")))
            }
        }
    }

    /// The network with the weights that training starts from.
    pub fn network(&self) -> &Network {
        self.trainer.network()
    }

    /// The run's parts, to train it without a folder.
    pub(crate) fn into_parts(self) -> PreparedParts {
        let Self { config, splits, trainer, .. } = self;
        PreparedParts { config, splits, trainer }
    }

    /// The origin of the weights, if the run starts from a part of a file.
    pub fn taken(&self) -> Option<&TakenWeights> {
        self.taken.as_ref()
    }

    /// Writes the folder, or takes it back to the checkpoint that the run is resumed from.
    ///
    /// # Errors
    /// The disk's, or ranks that would not train the same run.
    pub fn start(self) -> Result<Run> {
        let Self { config, splits, trainer, options, start, .. } = self;
        ranks::require_same_rows(&*options.ranks, &splits, &trainer)?;
        if !options.owns_folder() {
            let progress = match start {
                RunStart::New(_) => None,
                RunStart::Resumed(resumed) => Some(resumed.found.progress),
            };
            return Run::new(config, splits, trainer, None, options, progress);
        }
        match start {
            RunStart::New(path) => {
                let text = notes(&options) + &config.to_toml()?;
                let new =
                    path.map_or_else(|| NewFolder::claim(&config.name()), |path| NewFolder::at(&path))?;
                let folder = RunFolder::create(new, &text, &splits.preprocessing)?;
                Run::new(config, splits, trainer, Some(folder), options, None)
            }
            RunStart::Resumed(resumed) => {
                let Resumed { folder, lock, found, note, is_damaged, .. } = *resumed;
                let mut folder = RunFolder::reopen(&folder, &found, lock, options.restart_log)?;
                if let Some(note) = note {
                    tracing::info!("{note}");
                    folder.change_config(&config.to_toml()?, &note, is_damaged)?;
                }
                // A threshold that was chosen at an earlier end is not that of the weights to come.
                folder.save_preprocessing(&splits.preprocessing, Some(&found.progress.data))?;
                tracing::info!("going on from {}", found.path.display());
                Run::new(config, splits, trainer, Some(folder), options, Some(found.progress))
            }
        }
    }
}

/// The rows of a config, and the trainer for them.
struct Ready {
    splits: Splits,
    trainer: Trainer,
}

/// Checks the config by itself; a key that does not fit is located in it.
fn check(config: &Config) -> Result<()> {
    config.check_size()?;
    let checked = config.check().map_err(Error::Key).and_then(|()| {
        if !config.preparation.bag.is_some_and(Bag::is_whole) {
            return Ok(());
        }
        let problem =
            "has no number of a fold: it is an average of several runs, which `descent train --bag` trains";
        Err(Error::key("data.bag", problem))
    });
    checked.map_err(|error| config.locate(error))
}

/// Loads the data and builds the trainer; a key that does not fit is located in the config.
fn prepare(config: &Config, options: &RunOptions) -> Result<Ready> {
    let build = || {
        ranks::require_same_config(&*options.ranks, config)?;
        let (fitted, device) = (options.preprocessing.as_deref(), &options.device);
        let Session { splits, network, loss } = Session::open_on(config, fitted, device, &*options.ranks)?;
        // Also where the preprocessing is another's: what layers do not learn is in the weights, which are this run's own.
        network.fit(&splits.train)?;
        let plan = config.plan(splits.train.len());
        let length = config.length(splits.train.len());
        let mut doubtful = plan.check_length(length).map_err(Error::Key)?;
        let average = config.train.average.as_ref().and_then(|average| average.warning(length.updates));
        doubtful.extend(average.map(|error| error.under("train.average")));
        let numerical = config.model.numerical().and_then(|numerical| numerical.warning());
        doubtful.extend(numerical.map(|error| error.under("model.numerical")));
        for error in doubtful {
            tracing::warn!("{}", config.locate(Error::Key(error)));
        }
        let trainer =
            session::trainer(config, plan, network, loss)?.with_ranks(Arc::clone(&options.ranks))?;
        trainer.check(&splits.train)?;
        for (split, data) in [("validation", &splits.validation), ("test", &splits.test)] {
            data.as_ref().map_or(Ok(()), |data| trainer.check_held_out(data, split))?;
        }
        for doubt in doubts::about_rows(config, &splits)? {
            tracing::warn!("{doubt}");
        }
        config.check_watched(splits.validation.is_some()).map_err(Error::Key)?;
        if let Some(validation) = &splits.validation {
            trainer.check_watched(config.run.early_stopping.as_ref(), splits.outputs, validation)?;
        }
        Ok(Ready { splits, trainer })
    };
    build().map_err(|error| config.locate(error))
}

/// Loads the weights of a file into the network; of a part of it, says what was taken.
fn initialize(trainer: &Trainer, path: &Path, options: &RunOptions) -> Result<Option<TakenWeights>> {
    let params = trainer.network().params();
    if !options.init_part.is_whole() {
        return options.init_part.load(params, path, options.allow_nonfinite).map(Some);
    }
    let state = checkpoint::load_checked(path, options.allow_nonfinite)?;
    params.load(&state).map_err(|error| misfit(params, &state, path, &error))?;
    Ok(None)
}

/// The comment at the head of the run's config: the weights it starts from, and the GPU.
fn notes(options: &RunOptions) -> String {
    let InitialPart { patterns, renames } = &options.init_part;
    let matches = patterns.iter().map(|pattern| format!(" --init-match \"{}\"", pattern.escape_debug()));
    let renames =
        renames.iter().map(|rename| format!(" --init-rename \"{}\"", rename.to_string().escape_debug()));
    let part: String = matches.chain(renames).collect();
    let weights = options.init_from.as_ref();
    let weights =
        weights.map(|path| format!("--init-from {}{part}", path.display().to_string().escape_debug()));
    let gpu = device::describe(&options.device).map(|gpu| format!("on {}", gpu.escape_debug()));
    weights.into_iter().chain(gpu).fold(String::new(), |text, line| text + "# " + &line + "\n")
}
