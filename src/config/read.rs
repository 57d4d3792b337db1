//! The sections of a config, from a TOML table.

use toml::{Table, Value};

use super::origin::Origin;
use super::{Config, RunConfig, elsewhere};
use crate::data::{Preparation, Sources, TargetUse};
use crate::loss::{Losses, NetworkOutput};
use crate::model::Model;
use crate::optim::Grouped;
use crate::optim::schedule::SchedulePlan;
use crate::registry::{self, FromTable, KeyError};
use crate::trainer::{TrainOptions, check_monitor};

const SECTIONS: &[&str] = &["seed", "data", "model", "loss", "optimizer", "schedule", "train"];

/// `[data]`: the source, and the options that every source has.
struct DataSection {
    source: Sources,
    preparation: Preparation,
}

/// `[train]`: the options of the trainer, and those of the run.
struct TrainSection {
    train: TrainOptions,
    run: RunConfig,
}

impl FromTable for Config {
    fn from_table(table: Table) -> Result<Self, KeyError> {
        let read = Self::sections(table.clone()).and_then(|config| config.check().map(|()| config));
        read.map_err(|error| elsewhere::explain(error, &table))
    }
}

/// A section of a config, taken out of it.
fn section(table: &mut Table, name: &str, required: bool) -> Result<Table, KeyError> {
    let problem = match table.remove(name) {
        Some(Value::Table(section)) => return Ok(section),
        Some(Value::String(kind)) => {
            format!("is \"{kind}\"; write a section, `[{name}]` with name = \"{kind}\"")
        }
        Some(other) => format!("is {other}; it must be a section, `[{name}]`"),
        None if required => {
            "is missing; a config has `[data]`, `[model]`, `[loss]` and `[optimizer]`".to_owned()
        }
        None => return Ok(Table::new()),
    };
    Err(KeyError::new(name, problem))
}

/// The seed, taken out of a config.
fn seed(table: &mut Table) -> Result<u64, KeyError> {
    match table.remove("seed") {
        None => Ok(0),
        Some(Value::Integer(seed)) if seed >= 0 => Ok(seed.cast_unsigned()),
        Some(other) => {
            Err(KeyError::new("seed", format!("is {other}; it must be a whole number, 0 or more")))
        }
    }
}

impl Config {
    /// The source of `[data]`, and the options that every source has.
    fn data(mut table: Table) -> Result<DataSection, KeyError> {
        let shared: Vec<String> =
            registry::options::<Preparation>().into_iter().map(|(key, _)| key).collect();
        let preparation = shared.iter().filter_map(|key| table.remove_entry(key)).collect();
        let preparation: Preparation = registry::decode(preparation)?;
        let source = Sources::from_table(table).map_err(|error| match &error.known {
            Some(own) if !error.path.contains('.') => {
                let all: Vec<&str> = own.iter().chain(&shared).map(String::as_str).collect();
                registry::unknown_key(&error.path, &all)
            }
            _ => error,
        })?;
        Ok(DataSection { source, preparation })
    }

    /// The options of `[train]`: those of the trainer, and those of the run.
    fn train(mut table: Table) -> Result<TrainSection, KeyError> {
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
        Ok(TrainSection { train, run })
    }

    /// Reads the sections.
    fn sections(mut table: Table) -> Result<Self, KeyError> {
        if let Some(unknown) = table.keys().find(|key| !SECTIONS.contains(&key.as_str())) {
            return Err(registry::unknown_key(unknown, SECTIONS));
        }
        let seed = seed(&mut table)?;
        let mut section = |name: &str, required| section(&mut table, name, required);
        let DataSection { source, preparation } =
            Self::data(section("data", true)?).map_err(|e| e.under("data"))?;
        let model = Model::from_table(section("model", true)?).map_err(|e| e.under("model"))?;
        let loss = Losses::from_table(section("loss", true)?).map_err(|e| e.under("loss"))?;
        let optimizer = Grouped::from_table(section("optimizer", true)?).map_err(|e| e.under("optimizer"))?;
        let schedule =
            SchedulePlan::from_table(section("schedule", false)?).map_err(|e| e.under("schedule"))?;
        let TrainSection { train, run } =
            Self::train(section("train", false)?).map_err(|e| e.under("train"))?;
        let origin = Origin::default();
        Ok(Self { seed, source, preparation, model, loss, optimizer, schedule, train, run, origin })
    }

    /// Validates the options of all sections, whether they were read or set in code. A run does this at its start.
    ///
    /// # Errors
    /// The first key whose value is not valid.
    pub fn check(&self) -> Result<(), KeyError> {
        self.preparation.check().map_err(|e| e.under("data"))?;
        self.model.check().map_err(|e| e.under("model"))?;
        self.loss.check().map_err(|e| e.under("loss"))?;
        let loss = TargetUse {
            loss: self.loss.name(),
            task: self.loss.task(),
            standardizes: self.loss.standardizes(),
            has_deviation: self.loss.output().has_deviation(),
        };
        self.preparation.check_targets(loss).map_err(|e| e.under("data"))?;
        self.check_ensemble()?;
        self.optimizer.check().map_err(|e| e.under("optimizer"))?;
        self.schedule.check().map_err(|e| e.under("schedule"))?;
        self.schedule.check_optimizer(&self.optimizer)?;
        self.train.check().map_err(|e| e.under("train"))?;
        self.run.check().map_err(|e| e.under("train"))?;
        if let Some(average) = &self.train.average {
            average.check(self.run.epochs).map_err(|e| e.under("train.average"))?;
        }
        let validates = self.preparation.validation > 0.0
            || self.preparation.bag.is_some()
            || self.source.may_have_validation();
        self.check_calibrated(validates)?;
        self.check_watched(validates)
    }

    /// Validates `train.calibrate`, of a run with validation rows or without.
    fn check_calibrated(&self, validated: bool) -> Result<(), KeyError> {
        if !self.run.calibrate {
            return Ok(());
        }
        let problem = match self.loss.output() {
            NetworkOutput::ClassLogits | NetworkOutput::LabelLogits if validated => return Ok(()),
            NetworkOutput::ClassLogits | NetworkOutput::LabelLogits => {
                "needs validation rows; set `data.validation`"
            }
            _ => "is for the probabilities of classes, and this loss has none",
        };
        Err(KeyError::new("train.calibrate", problem))
    }

    /// Validates that the predictions of an ensemble's members have a mean.
    fn check_ensemble(&self) -> Result<(), KeyError> {
        let has_mean = match self.loss.output() {
            NetworkOutput::LogProbabilities | NetworkOutput::MeanAndVariance(_) => false,
            NetworkOutput::ClassLogits
            | NetworkOutput::LabelLogits
            | NetworkOutput::Values
            | NetworkOutput::LogValues => true,
        };
        if self.model.members().is_none() || has_mean {
            return Ok(());
        }
        let problem = format!(
            "averages the predictions of its members, and those of `{}` have no mean; take another loss, or leave it out",
            self.loss.name()
        );
        Err(KeyError::new("model.ensemble", problem))
    }

    /// Validates the metrics that early stopping and the schedule watch, of a run with validation rows or without.
    pub(crate) fn check_watched(&self, validated: bool) -> Result<(), KeyError> {
        let task = self.loss.task();
        if let Some(stop) = &self.run.early_stopping {
            stop.check(task, validated).map_err(|e| e.under("train.early_stopping"))?;
        }
        match self.schedule.plateau().and_then(|plateau| plateau.monitor.as_ref()) {
            Some(monitor) => check_monitor(monitor, task, validated).map_err(|e| e.under("schedule")),
            None => Ok(()),
        }
    }
}
