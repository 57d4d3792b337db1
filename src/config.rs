//! The config file, as a tree of the components' own option types. It is read first and imported last: no component
//! knows about the file.

mod locate;
mod origin;
mod overrides;
mod paths;
mod run;
mod schema;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::{Table, Value};

use crate::data::{Preparation, Sources};
use crate::error::{Error, Result};
use crate::files;
use crate::loss::Losses;
use crate::model::Model;
use crate::optim::Grouped;
use crate::optim::schedule::Plan;
use crate::registry::{self, FromTable, KeyError};
use crate::trainer::{TrainOptions, check_monitor};

pub use origin::Origin;
pub use run::{Every, RunConfig};
pub use schema::schema;

/// A whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The seed of everything random: weights, order, dropout, splits.
    pub seed: u64,
    /// Where the rows come from.
    pub source: Sources,
    /// How the rows are split and preprocessed.
    pub preparation: Preparation,
    /// The network.
    pub model: Model,
    /// The loss function.
    pub loss: Losses,
    /// The optimizer and its parameter groups.
    pub optimizer: Grouped,
    /// The learning-rate schedule.
    pub schedule: Plan,
    /// The trainer's part of `[train]`: batches, clipping, averages, numeric types.
    pub train: TrainOptions,
    /// The run's part of `[train]`: how long, and what is evaluated and saved.
    pub run: RunConfig,
    /// Where the config was read, for messages.
    pub origin: Origin,
}

const SECTIONS: &[&str] = &["seed", "data", "model", "loss", "optimizer", "schedule", "train"];

impl Config {
    /// Reads a config file. `overrides`, `KEY=VALUE` each, replace its keys by their dotted paths. Paths in the file are
    /// relative to its folder, paths in `overrides` to the current one.
    pub fn read(path: impl AsRef<Path>, overrides: &[String]) -> Result<Self> {
        let path = path.as_ref();
        Self::parse_in(files::parent(path), &read(path)?, &path.display().to_string(), overrides)
    }

    /// Reads the config of a run. Its paths are absolute; those of a run of version 0.1.0 are relative to the current folder.
    pub(crate) fn of_run(path: &Path, overrides: &[String]) -> Result<Self> {
        Self::parse(&read(path)?, &path.display().to_string(), overrides)
    }

    /// Parses a config; `name` is how messages refer to it. Paths are relative to the current folder.
    pub fn parse(text: &str, name: &str, overrides: &[String]) -> Result<Self> {
        Self::parse_in(Path::new("."), text, name, overrides)
    }

    /// Parses a config that lies in `folder`.
    fn parse_in(folder: &Path, text: &str, name: &str, overrides: &[String]) -> Result<Self> {
        let mut table: Table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map(|span| locate::line_at(text, span.start));
            Error::Config(format!(
                "{name}{}: {}",
                line.map_or(String::new(), |l| format!(", line {l}")),
                e.message().trim()
            ))
        })?;
        paths::resolve(&mut table, folder)?;
        let set =
            overrides.iter().map(|argument| overrides::apply(&mut table, argument)).collect::<Result<_>>()?;
        paths::resolve(&mut table, Path::new("."))?;
        let origin = Origin { name: name.to_owned(), text: text.to_owned(), set };
        let config = Self::from_table(table).map_err(|error| origin.locate(error))?;
        Ok(Self { origin, ..config })
    }

    /// The name of the file it was read from, without folder and extension.
    pub fn name(&self) -> String {
        let stem = Path::new(&self.origin.name).file_stem();
        stem.map_or_else(|| "run".to_owned(), |stem| stem.to_string_lossy().into_owned())
    }

    /// The file or folder that the rows come from.
    pub fn source_place(&self) -> PathBuf {
        self.source.place()
    }

    /// The origin of a key's value: "--set", "line 3", or "default".
    pub fn place_of(&self, path: &str) -> String {
        self.origin.place_of(path)
    }

    /// Adds to an error where the config has the key that it names.
    pub fn locate(&self, error: Error) -> Error {
        match error {
            Error::Key(error) => self.origin.locate(error),
            other => other,
        }
    }

    /// The source of `[data]`, and the options that every source has.
    fn data(mut table: Table) -> Result<(Sources, Preparation), KeyError> {
        let shared: Vec<String> =
            registry::options::<Preparation>().into_iter().map(|(key, _)| key).collect();
        let preparation = shared.iter().filter_map(|key| table.remove_entry(key)).collect();
        let preparation: Preparation = registry::decode(preparation)?;
        preparation.check()?;
        let source = Sources::from_table(table).map_err(|mut error| {
            if error.problem.starts_with("unknown key") {
                error.problem = format!("{}; any data set has {}", error.problem, shared.join(", "));
            }
            error
        })?;
        Ok((source, preparation))
    }

    /// The options of `[train]`: those of the trainer, and those of the run.
    fn train(mut table: Table) -> Result<(TrainOptions, RunConfig), KeyError> {
        let names = |options: Vec<(String, String)>| options.into_iter().map(|(name, _)| name);
        let of_run: Vec<String> = names(registry::options::<RunConfig>()).collect();
        let known: Vec<String> =
            names(registry::options::<TrainOptions>()).chain(of_run.iter().cloned()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        if let Some(unknown) = table.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(registry::unknown_key(unknown, &known));
        }
        let run = of_run.iter().filter_map(|key| table.remove_entry(key)).collect();
        let (train, run): (TrainOptions, RunConfig) = (registry::decode(table)?, registry::decode(run)?);
        train.check()?;
        run.check()?;
        if let Some(average) = &train.average {
            average.check(run.epochs).map_err(|e| e.under("average"))?;
        }
        Ok((train, run))
    }

    /// The resolved config as TOML: training with it gives the same weights.
    pub fn to_toml(&self) -> Result<String> {
        let section = |value: &dyn erased::Section| value.table();
        let mut data = section(&self.source)?;
        data.extend(section(&self.preparation)?);
        let mut schedule = section(&self.schedule.timing)?;
        if let Some(named) = &self.schedule.schedule {
            schedule.extend(section(named)?);
        }
        let mut train = section(&self.train)?;
        train.extend(section(&self.run)?);
        let mut whole = Table::new();
        whole
            .insert("seed".to_owned(), Value::try_from(self.seed).map_err(|e| Error::Config(e.to_string()))?);
        whole.insert("data".to_owned(), Value::Table(data));
        let sections: [(&str, &dyn erased::Section); 3] =
            [("model", &self.model), ("loss", &self.loss), ("optimizer", &self.optimizer)];
        for (name, value) in sections {
            whole.insert(name.to_owned(), Value::Table(value.table()?));
        }
        whole.insert("train".to_owned(), Value::Table(train));
        if self.schedule != Plan::default() {
            whole.insert("schedule".to_owned(), Value::Table(schedule));
        }
        toml::to_string(&whole).map_err(|e| Error::Config(e.to_string()))
    }
}

impl FromTable for Config {
    fn from_table(mut table: Table) -> Result<Self, KeyError> {
        if let Some(unknown) = table.keys().find(|key| !SECTIONS.contains(&key.as_str())) {
            return Err(registry::unknown_key(unknown, SECTIONS));
        }
        let seed = match table.remove("seed") {
            None => 0,
            Some(Value::Integer(seed)) if seed >= 0 => seed.cast_unsigned(),
            Some(other) => {
                return Err(KeyError::new(
                    "seed",
                    format!("is {other}; it must be a whole number, 0 or more"),
                ));
            }
        };
        let mut section = |name: &str, required: bool| match table.remove(name) {
            Some(Value::Table(section)) => Ok(section),
            Some(other) => Err(KeyError::new(
                name,
                format!("is a {}; it must be a section, `[{name}]`", other.type_str()),
            )),
            None if required => Err(KeyError::new(
                name,
                "is missing; a config has `[data]`, `[model]`, `[loss]` and `[optimizer]`",
            )),
            None => Ok(Table::new()),
        };
        let (source, preparation) = Self::data(section("data", true)?).map_err(|e| e.under("data"))?;
        let model = Model::from_table(section("model", true)?).map_err(|e| e.under("model"))?;
        model.check().map_err(|e| e.under("model"))?;
        let loss = Losses::from_table(section("loss", true)?).map_err(|e| e.under("loss"))?;
        loss.check().map_err(|e| e.under("loss"))?;
        let optimizer = Grouped::from_table(section("optimizer", true)?).map_err(|e| e.under("optimizer"))?;
        let schedule = Plan::from_table(section("schedule", false)?).map_err(|e| e.under("schedule"))?;
        schedule.check_optimizer(&optimizer)?;
        let (train, run) = Self::train(section("train", false)?).map_err(|e| e.under("train"))?;
        let validated = preparation.validation > 0.0;
        if let Some(stop) = &run.early_stopping {
            stop.check(loss.want(), validated).map_err(|e| e.under("train.early_stopping"))?;
        }
        if let Some(monitor) = schedule.plateau().and_then(|plateau| plateau.monitor.as_ref()) {
            check_monitor(monitor, loss.want(), validated).map_err(|e| e.under("schedule"))?;
        }
        Ok(Self {
            seed,
            source,
            preparation,
            model,
            loss,
            optimizer,
            schedule,
            train,
            run,
            origin: Origin::default(),
        })
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|e| Error::Config(format!("cannot read the config {}: {e}", path.display())))
}

/// Serialises a section whatever its type.
mod erased {
    use super::{Error, Result, Serialize, Table};

    pub(super) trait Section {
        fn table(&self) -> Result<Table>;
    }

    impl<T: Serialize> Section for T {
        fn table(&self) -> Result<Table> {
            Table::try_from(self).map_err(|e| Error::Config(e.to_string()))
        }
    }
}
