//! The config of a run that is resumed, and which of its keys may change.

use std::path::Path;

use toml::{Table, Value};

use super::data_file;
use super::names::CONFIG;
use crate::checkpoint::{Progress, VerifiedCheckpoint};
use crate::config::Config;
use crate::data::table::series::Horizon;
use crate::data::{Fingerprint, Sources, Splits};
use crate::error::{Error, Result};

/// The config that a run is resumed with.
pub(super) struct OwnConfig {
    pub(super) config: Config,
    /// The damage to the run's `config.toml`, if the config of its checkpoint replaces it.
    pub(super) damage: Option<String>,
}

/// The run's own config with these overrides; the config of the checkpoint if `config.toml` is damaged.
pub(super) fn own_config(run: &Path, found: &VerifiedCheckpoint, overrides: &[&str]) -> Result<OwnConfig> {
    let path = run.join(CONFIG);
    let Some(damage) = damage(&path, &found.progress.config) else {
        let config =
            Config::of_run(&path, overrides).map_err(|error| with_way_out(error, &path, overrides))?;
        return Ok(OwnConfig { config: with_own_horizon(config, run), damage: None });
    };
    let name = format!("the config of {}", found.path.display());
    tracing::warn!("{}: {damage}; {name} stands in for it", path.display());
    let config = with_own_horizon(Config::parse(&found.progress.config, &name, overrides)?, run);
    Ok(OwnConfig { config, damage: Some(format!("{CONFIG} was restored ({damage})")) })
}

/// The config of a run that an earlier version made, in which `horizon = 3` meant the third row alone: now that is `[3]`.
fn with_own_horizon(mut config: Config, run: &Path) -> Config {
    if let Sources::TimeSeries(series) = &mut config.source
        && let Horizon::Next(2..) = series.horizon
        && let Ok(Some(fitted)) = data_file::preprocessing(run)
        && let [step] = fitted.horizon()
        && series.horizon == Horizon::Next(*step)
    {
        series.horizon = Horizon::Steps(vec![*step]);
    }
    config
}

/// The error of a run's config with these overrides, with the way out where somebody else has changed the file.
fn with_way_out(error: Error, path: &Path, overrides: &[&str]) -> Error {
    match error {
        _ if !overrides.is_empty() && Config::of_run(path, &[]).is_ok() => error,
        Error::Config(problem) => Error::Config(format!(
            "{problem}; where {} was changed by mistake, remove it: the config of the checkpoint stands in for it",
            path.display()
        )),
        other => other,
    }
}

/// The damage to the file of a config that was `whole` when the checkpoint was written, if any. A wrong value is no
/// damage: somebody may have written it.
fn damage(path: &Path, whole: &str) -> Option<String> {
    // A pipe would be waited for.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Some("it is no file".to_owned());
    }
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes),
        Err(error) => return Some(format!("it cannot be read: {error}")),
    };
    let Ok(text) = text else { return Some("it is not UTF-8".to_owned()) };
    let Ok(table) = text.parse::<Table>() else { return Some("it is not TOML".to_owned()) };
    let body: String = text.split_inclusive('\n').skip_while(|line| line.starts_with('#')).collect();
    let is_cut = body.trim_end().len() < whole.trim_end().len() && whole.starts_with(body.trim_end());
    let sections = ["data", "model", "loss", "optimizer"];
    (is_cut || sections.iter().any(|section| !table.contains_key(*section)))
        .then(|| "a part of it is missing".to_owned())
}

/// A changed key of the config.
pub(super) struct Change {
    key: String,
    was: Option<Value>,
    is: Option<Value>,
}

impl Change {
    /// `optimizer.lr` = 0.1 (was 0.01)
    pub(super) fn describe(&self) -> String {
        let text = |value: &Option<Value>| value.as_ref().map_or("left out".to_owned(), Value::to_string);
        format!("{} = {} (was {})", self.key, text(&self.is), text(&self.was))
    }

    /// Whether it changes the data or the network. Files may have moved: the rows are identified by a checksum.
    fn is_another_run(&self) -> bool {
        let key = self.key.as_str();
        let part_of = |section: &str| key == section || key.starts_with(&format!("{section}."));
        key == "seed"
            || key == "train.dtype"
            || part_of("model")
            || (part_of("data") && !self.is_moved() && !self.is_same_horizon())
    }

    /// Whether it names another file for the same data, or the amount of it that is kept in memory.
    fn is_moved(&self) -> bool {
        let is_path = |value: &Option<Value>| value.as_ref().is_some_and(Value::is_str);
        match self.key.as_str() {
            "data.path" | "data.memory" | "data.cache" => true,
            "data.test" => is_path(&self.was) && is_path(&self.is),
            _ => false,
        }
    }

    /// Whether it is the horizon of a run that an earlier version made, as it is written now.
    fn is_same_horizon(&self) -> bool {
        let now = self.is.as_ref().and_then(Value::as_array).map(Vec::as_slice);
        self.key == "data.horizon" && matches!((now, &self.was), (Some([now]), Some(was)) if now == was)
    }

    /// Whether it changes the batches of an epoch. Rows in a file have another order than those in memory; a run that an
    /// earlier version made may have no such key.
    fn is_of_batches(&self) -> bool {
        let keys = ["train.batch_size", "train.accumulate", "train.shuffle", "train.drop_last"];
        keys.contains(&self.key.as_str()) || (self.key == "data.memory" && self.was.is_some())
    }
}

/// The keys in which the config differs from that of the run at `progress`.
///
/// # Errors
/// A key that a run must keep.
pub(super) fn changes(run: &Path, progress: &Progress, config: &Config) -> Result<Vec<Change>> {
    let changes = differences(run, &progress.config, config)?;
    let refuse = |of: fn(&Change) -> bool, why: String| {
        let differences: Vec<String> =
            changes.iter().filter(|change| of(change)).map(Change::describe).collect();
        if differences.is_empty() {
            return Ok(());
        }
        Err(Error::Config(format!("--resume {}: {}; {why}", run.display(), differences.join(", "))))
    };
    refuse(
        Change::is_another_run,
        format!(
            "a run keeps its seed, data and model: leave them, or start another run; where {} was changed by mistake, remove \
             it: the config of the checkpoint stands in for it",
            run.join(CONFIG).display()
        ),
    )?;
    if progress.within.is_some() {
        let why = format!(
            "the checkpoint lies within epoch {}, whose rows are cut in batches already: keep the old value until the epoch \
             ends",
            progress.epoch
        );
        refuse(Change::is_of_batches, why)?;
    }
    Ok(changes)
}

/// The keys in which a config differs from that of the run, a text.
pub(super) fn differences(run: &Path, of_run: &str, config: &Config) -> Result<Vec<Change>> {
    let table = |text: &str| text.parse::<Table>().map_err(|e| Error::data(run, e.message().to_owned()));
    let (was, is) = (table(of_run)?, table(&config.to_toml()?)?);
    let mut changes = Vec::new();
    compare("", &was, &is, &mut changes);
    Ok(changes)
}

fn compare(prefix: &str, was: &Table, is: &Table, changes: &mut Vec<Change>) {
    let keys = was.keys().chain(is.keys().filter(|key| !was.contains_key(*key)));
    for name in keys {
        let key = format!("{prefix}{name}");
        match (was.get(name), is.get(name)) {
            (Some(Value::Table(was)), Some(Value::Table(is))) => {
                compare(&format!("{key}."), was, is, changes);
            }
            (was, is) if was != is => changes.push(Change { key, was: was.cloned(), is: is.cloned() }),
            _ => {}
        }
    }
}

/// Checks that the rows are those of the run.
pub(super) fn require_same_data(found: &VerifiedCheckpoint, config: &Config, splits: &Splits) -> Result<()> {
    match found.progress.data.difference(&Fingerprint::of(splits)?) {
        None => Ok(()),
        Some(difference) => Err(Error::data(
            config.source_place(),
            format!(
                "the data has changed since the run began: {difference}; bring it back, or start another run"
            ),
        )),
    }
}
