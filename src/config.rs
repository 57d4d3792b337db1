//! The config file, as a tree of the components' own option types. It is read first and imported last: no component
//! knows about the file.

mod elsewhere;
mod foreign;
mod key_path;
mod locate;
mod origin;
mod overrides;
mod paths;
mod read;
mod run;
mod schema;
mod syntax;
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
use crate::optim::schedule::{Interval, RunLength, SchedulePlan};
use crate::registry::FromTable;
use crate::trainer::TrainOptions;
use overrides::{AbsentKey, AbsentOverride};

pub(crate) use elsewhere::key_of_flag;
pub(crate) use key_path::split as split_override;
pub use origin::Origin;
pub(crate) use overrides::{other_than, section_of};
pub use run::{Every, RunConfig};
pub use schema::schema;

/// A whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The seed of everything random: weights, order, dropout, splits.
    pub seed: u64,
    /// The source of the rows.
    pub source: Sources,
    /// The splits and the preprocessing of the rows.
    pub preparation: Preparation,
    /// The network.
    pub model: Model,
    /// The loss function.
    pub loss: Losses,
    /// The optimizer and its parameter groups.
    pub optimizer: Grouped,
    /// The learning-rate schedule.
    pub schedule: SchedulePlan,
    /// The trainer's part of `[train]`: batches, clipping, averages, numeric types.
    pub train: TrainOptions,
    /// The run's part of `[train]`: how long, and what is evaluated and saved.
    pub run: RunConfig,
    /// The file and lines of the config, for messages.
    pub origin: Origin,
}

impl Config {
    /// Reads a config file. `overrides`, `KEY=VALUE` each, replace its keys by their dotted paths. Paths in the file are
    /// relative to its folder, paths in `overrides` to the current one.
    pub fn read(path: impl AsRef<Path>, overrides: &[&str]) -> Result<Self> {
        let path = path.as_ref();
        Self::parse_in(files::parent(path), &read(path)?, &path.display().to_string(), overrides)
    }

    /// Reads the config of a run. Its paths are absolute; those of a run of version 0.1.0 are relative to the current folder.
    pub(crate) fn of_run(path: &Path, overrides: &[&str]) -> Result<Self> {
        let name = path.display().to_string();
        Self::parse_with(Path::new("."), &read(path)?, &name, overrides, AbsentKey::Passed)
    }

    /// Parses a config; `name` is how messages refer to it. Paths are relative to the current folder.
    pub fn parse(text: &str, name: &str, overrides: &[&str]) -> Result<Self> {
        Self::parse_in(Path::new("."), text, name, overrides)
    }

    /// Parses a config that is in no file: messages call it `what`, and its run is called `run`.
    pub(crate) fn parse_unsaved(text: &str, what: &str, run: &str, overrides: &[&str]) -> Result<Self> {
        let mut config = Self::parse(text, what, overrides)?;
        config.origin.run = Some(run.to_owned());
        Ok(config)
    }

    /// Parses a config for a file in `folder`, to which its paths are relative.
    pub(crate) fn parse_in(folder: &Path, text: &str, name: &str, overrides: &[&str]) -> Result<Self> {
        Self::parse_with(folder, text, name, overrides, AbsentKey::Refused)
    }

    fn parse_with(
        folder: &Path,
        text: &str,
        name: &str,
        overrides: &[&str],
        absent: AbsentKey,
    ) -> Result<Self> {
        let mut table: Table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map(|span| locate::line_at(text, span.start));
            let own = e.span().and_then(|span| syntax::problem(text, span.start));
            Error::Config(format!(
                "{name}{}: {}",
                line.map_or(String::new(), |l| format!(", line {l}")),
                own.as_deref().unwrap_or_else(|| e.message().trim())
            ))
        })?;
        paths::resolve(&mut table, folder)?;
        let file = table.clone();
        let mut origin = Origin::new(name, text);
        for argument in overrides {
            Self::check_absent(&table, argument, absent, &origin)?;
            origin.set.push(overrides::apply(&mut table, argument)?);
        }
        paths::resolve(&mut table, Path::new("."))?;
        match Self::from_table(table) {
            Ok(config) => Ok(Self { origin, ..config }),
            Err(error) => match Self::culprit(file, overrides) {
                Some(argument) if origin.set_by(&error.path).is_none() => {
                    Err(origin.locate_with(error, argument))
                }
                _ => Err(origin.locate(error)),
            },
        }
    }

    /// Checks `KEY=null` where the table has no such key.
    fn check_absent(table: &Table, argument: &str, absent: AbsentKey, origin: &Origin) -> Result<()> {
        let Some(AbsentOverride { key, table }) = overrides::absent(table, argument)? else { return Ok(()) };
        match Self::from_table(table) {
            // Another key of the file may be unknown, too.
            Err(error)
                if error.known.is_some() && format!("{key}.").starts_with(&format!("{}.", error.path)) =>
            {
                Err(origin.locate_with(error, argument))
            }
            _ => absent.pass(argument),
        }
    }

    /// The override from which on a file that is right by itself is wrong.
    fn culprit<'a>(mut file: Table, overrides: &[&'a str]) -> Option<&'a str> {
        Self::from_table(file.clone()).ok()?;
        overrides.iter().copied().find(|argument| {
            overrides::apply(&mut file, argument).is_err() || Self::from_table(file.clone()).is_err()
        })
    }

    /// The name of the file it was read from, without folder and extension.
    pub fn name(&self) -> String {
        if let Some(run) = &self.origin.run {
            return run.clone();
        }
        let stem = Path::new(&self.origin.name).file_stem();
        stem.map_or_else(|| "run".to_owned(), |stem| stem.to_string_lossy().into_owned())
    }

    /// The file or folder that the rows come from.
    pub fn source_place(&self) -> PathBuf {
        self.source.place()
    }

    /// The maximum length of the run on this number of training rows.
    pub fn length(&self, rows: usize) -> RunLength {
        let RunConfig { epochs, max_steps, .. } = self.run;
        let in_an_epoch = self.train.updates_in_an_epoch(rows).max(1);
        let all = epochs.saturating_mul(in_an_epoch);
        let updates = if max_steps > 0 { all.min(max_steps) } else { all };
        RunLength { epochs: updates.div_ceil(in_an_epoch), updates }
    }

    /// Checks the lengths that need no data: those of a schedule that counts epochs.
    ///
    /// # Errors
    /// A schedule that ends before the run.
    pub fn check_epochs(&self) -> Result<()> {
        let RunConfig { epochs, max_steps, .. } = self.run;
        if max_steps > 0 || self.schedule.timing.interval == Interval::Step {
            return Ok(());
        }
        let run = RunLength { epochs, updates: u64::MAX };
        let checked = self.schedule.clone().filled(run).check_length(run);
        checked.map(|_| ()).map_err(|error| self.origin.locate(error))
    }

    /// Checks the widths of the network as far as no data is needed.
    ///
    /// # Errors
    /// A network that is too large for any data.
    pub fn check_size(&self) -> Result<()> {
        self.model.check_size(1, 1).map_err(|error| self.origin.locate(error.under("model")))
    }

    /// The schedule for this number of training rows; omitted lengths default to the length of the run.
    pub fn plan(&self, rows: usize) -> SchedulePlan {
        self.schedule.clone().filled(self.length(rows))
    }

    /// The metrics that early stopping and the schedule monitor.
    pub fn watched(&self) -> Vec<&str> {
        let stop = self.run.early_stopping.as_ref().map(|stop| stop.monitor.as_str());
        let plateau = self.schedule.plateau().and_then(|plateau| plateau.monitor.as_deref());
        stop.into_iter().chain(plateau.filter(|monitor| stop != Some(monitor))).collect()
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
        if self.schedule != SchedulePlan::default() {
            whole.insert("schedule".to_owned(), Value::Table(schedule));
        }
        toml::to_string(&whole).map_err(|e| Error::Config(e.to_string()))
    }

    /// As [`Self::to_toml`], for other people: paths are the names of their files, without the folders of this machine.
    pub(crate) fn to_shared_toml(&self) -> Result<String> {
        let wrong = |e: &dyn std::fmt::Display| Error::Config(e.to_string());
        let mut whole: Table = self.to_toml()?.parse().map_err(|e: toml::de::Error| wrong(&e))?;
        paths::shorten(&mut whole);
        toml::to_string(&whole).map_err(|e| wrong(&e))
    }
}

fn read(path: &Path) -> Result<String> {
    let fail =
        |problem: String| Error::Config(format!("cannot read the config {}: {problem}", path.display()));
    // A pipe would wait for ever, and a device has no end.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Err(fail("this is not a file".to_owned()));
    }
    if path.is_dir() {
        let own = path.join("config.toml");
        return Err(fail(if own.is_file() {
            format!(
                "this is a folder, as of a run; go on with it by --resume {0}, or train its config anew: {1}",
                path.display(),
                own.display()
            )
        } else {
            "this is a folder; name the file".to_owned()
        }));
    }
    std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))
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
