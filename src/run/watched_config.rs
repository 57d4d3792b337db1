//! The `config.toml` of a run under way: somebody may change it meanwhile.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::names::CONFIG;
use crate::error::Result;
use crate::files::{self, Local};

/// The file, as this process has last seen it.
#[derive(Debug)]
pub(super) struct WatchedConfig {
    path: PathBuf,
    seen: Option<FileMark>,
}

/// The marks of a file that change when it is written.
#[derive(Debug, PartialEq, Eq)]
struct FileMark {
    inode: u64,
    size: u64,
    modified: Option<SystemTime>,
}

impl WatchedConfig {
    /// The file in the folder of a run, as it is now.
    pub(super) fn of(run: &Path) -> Self {
        let path = run.join(CONFIG);
        Self { seen: FileMark::of(&path), path }
    }

    /// Replaces it, below the comment at its head and a new line of comment. A damaged one is set aside: somebody may have
    /// edited it.
    pub(super) fn rewrite(&mut self, config: &str, note: &str, is_damaged: bool) -> Result<()> {
        let old = fs::read_to_string(&self.path).unwrap_or_default();
        let notes: String = old.split_inclusive('\n').take_while(|line| line.starts_with('#')).collect();
        if is_damaged {
            files::set_aside(&Local, &self.path)?;
        }
        files::write(&Local, &self.path, format!("{notes}# {note}\n{config}").as_bytes())?;
        self.seen = FileMark::of(&self.path);
        Ok(())
    }

    /// Warns if it was changed since it was last looked at.
    pub(super) fn warn_of_change(&mut self) {
        let now = FileMark::of(&self.path);
        if now != self.seen {
            let done = if now.is_some() { "changed" } else { "removed" };
            tracing::warn!(
                "{} was {done} while the run goes on, which keeps the config that it began with; each checkpoint has that, \
                 and where there is no {CONFIG} it stands in when the run is resumed",
                self.path.display()
            );
            self.seen = now;
        }
    }
}

impl FileMark {
    fn of(path: &Path) -> Option<Self> {
        let mark =
            |found: Metadata| Self { inode: found.ino(), size: found.len(), modified: found.modified().ok() };
        fs::metadata(path).ok().map(mark)
    }
}
