//! Which keys of the config may change when a run is resumed.

use std::path::Path;

use toml::{Table, Value};

use crate::checkpoint::{Found, Progress};
use crate::config::Config;
use crate::data::{Fingerprint, Splits};
use crate::error::{Error, Result};

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

    /// Whether it changes the data or the network. `data.path` may change: the rows are identified by a checksum.
    fn is_another_run(&self) -> bool {
        let key = self.key.as_str();
        let part_of = |section: &str| key == section || key.starts_with(&format!("{section}."));
        key == "seed" || key == "train.dtype" || part_of("model") || (part_of("data") && key != "data.path")
    }

    /// Whether it changes the batches of an epoch.
    fn is_of_batches(&self) -> bool {
        ["batch_size", "accumulate", "shuffle", "drop_last"]
            .iter()
            .any(|key| self.key == format!("train.{key}"))
    }
}

/// The keys in which the config differs from that of the run at `progress`.
///
/// # Errors
/// A key that a run must keep.
pub(super) fn changes(run: &Path, progress: &Progress, config: &Config) -> Result<Vec<Change>> {
    let table = |text: &str| text.parse::<Table>().map_err(|e| Error::data(run, e.message().to_owned()));
    let (was, is) = (table(&progress.config)?, table(&config.to_toml()?)?);
    let mut changes = Vec::new();
    compare("", &was, &is, &mut changes);
    let refuse = |of: fn(&Change) -> bool, why: String| {
        let said: Vec<String> = changes.iter().filter(|change| of(change)).map(Change::describe).collect();
        if said.is_empty() {
            return Ok(());
        }
        Err(Error::Config(format!("--resume {}: {}; {why}", run.display(), said.join(", "))))
    };
    refuse(
        Change::is_another_run,
        "a run keeps its seed, data and model: leave them, or start another run".to_owned(),
    )?;
    if progress.within.is_some() {
        let why = format!(
            "the checkpoint lies within epoch {}, whose rows are cut in batches already",
            progress.epoch
        );
        refuse(Change::is_of_batches, why)?;
    }
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
pub(super) fn require_same_data(found: &Found, config: &Config, splits: &Splits) -> Result<()> {
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
