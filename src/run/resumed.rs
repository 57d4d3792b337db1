//! A run that is to go on, as its folder has it.

use std::path::{Path, PathBuf};

use super::folder::{self, RunFolder};
use super::options::RunOptions;
use super::resume::{self, Change, OwnConfig};
use crate::checkpoint::VerifiedCheckpoint;
use crate::config::Config;
use crate::error::Result;
use crate::files::Lock;
use crate::names::printable;

/// A run that is resumed.
pub(super) struct Resumed {
    pub(super) folder: PathBuf,
    /// Its config, with the changes that were asked for.
    pub(super) config: Config,
    /// Nothing where another rank holds it.
    pub(super) lock: Option<Lock>,
    pub(super) found: VerifiedCheckpoint,
    /// The comment at the head of its `config.toml` when that is written anew; `None` where it is not.
    pub(super) note: Option<String>,
    /// Whether that file is damaged, and is kept beside the new one.
    pub(super) is_damaged: bool,
}

impl Resumed {
    /// The newest checkpoint of the run in `folder` that can be read, and the run's config with `overrides`.
    pub(super) fn find(folder: &Path, overrides: &[&str], options: &RunOptions) -> Result<Self> {
        let lock = options.owns_folder().then(|| folder::lock_run(folder)).transpose()?;
        let found = RunFolder::newest(folder, options.restart_log)?;
        for (_, problem) in &found.damaged {
            tracing::warn!("{problem}; going on from the checkpoint before it, {}", found.path.display());
        }
        let OwnConfig { config, damage } = resume::own_config(folder, &found, overrides)?;
        let changes = resume::changes(folder, &found.progress, &config)?;
        let is_damaged = damage.is_some();
        let notes: Vec<String> = damage.into_iter().chain(changes.iter().map(Change::describe)).collect();
        let note = (!notes.is_empty())
            .then(|| format!("from step {} on: {}", found.progress.step, printable(&notes.join(", "))));
        let folder = folder.to_path_buf();
        Ok(Self { folder, config, lock, found, note, is_damaged })
    }
}
