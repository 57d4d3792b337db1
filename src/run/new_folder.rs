//! The folder of a new run: it must be empty, or is made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::names::{LOCK, OWN};
use crate::error::{Error, Result};
use crate::files::{self, Lock};

/// A folder that a new run may write to, locked by this process.
pub(super) struct NewFolder {
    pub(super) path: PathBuf,
    /// The outermost folder that was created for it.
    pub(super) made: Option<PathBuf>,
    pub(super) lock: Lock,
}

impl NewFolder {
    /// The folder `path`, which is made where it is not there.
    pub(super) fn at(path: &Path) -> Result<Self> {
        require_free(path)?;
        let made = missing(path);
        fs::create_dir_all(path).map_err(Error::io("create", path))?;
        Self::locked(path, made)
    }

    /// A new folder `runs/NAME-20261123-221530`, in UTC, which no other process has.
    pub(super) fn claim(name: &str) -> Result<Self> {
        let made = missing(Path::new(RUNS));
        let path = claim(name)?;
        Self::locked(&path, Some(made.unwrap_or_else(|| path.clone())))
    }

    fn locked(path: &Path, made: Option<PathBuf>) -> Result<Self> {
        let taken = lock(path).and_then(|lock| {
            // Another process may have been here first.
            require_free(path)?;
            Ok(lock)
        });
        let lock = taken.inspect_err(|_| remove_folders(path, made.as_deref()))?;
        Ok(Self { path: path.to_path_buf(), made, lock })
    }
}

/// The folder of runs that have no folder of their own.
const RUNS: &str = "runs";

/// Makes a new folder `runs/NAME-20261123-221530`, in UTC, with `-2`, `-3`, … where that is taken.
pub fn claim(name: &str) -> Result<PathBuf> {
    let base = format!("{name}-{}", jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S"));
    let runs = Path::new(RUNS);
    fs::create_dir_all(runs).map_err(Error::io("create", runs))?;
    let mut number = 1u32;
    loop {
        let path = runs.join(if number == 1 { base.clone() } else { format!("{base}-{number}") });
        // Whoever creates it has it: two runs may begin in the same second.
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(Error::io("create", &path)(error)),
        }
    }
}

/// Removes a folder that [`claim`] made, where it is still empty.
pub fn release(path: &Path) {
    remove_folders(path, Some(Path::new(RUNS)));
}

/// Checks that a new run can be written to `path`.
///
/// # Errors
/// The folder is not empty, or `path` is a file.
pub fn require_free(path: &Path) -> Result<()> {
    let refused = |problem: &str| Err(Error::Config(format!("--out {}: {problem}", path.display())));
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(_) if path.exists() && !path.is_dir() => return refused("this is a file, not a folder"),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(()),
        Err(error) => return Err(Error::io("read", path)(error)),
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    let names: Vec<String> = names.collect::<io::Result<_>>().map_err(Error::io("read", path))?;
    if let Some(name) = OWN.iter().find(|own| names.iter().any(|name| name == *own)) {
        return refused(&format!(
            "this folder holds a run already (`{name}`); choose another, remove it first, or go on with it: descent \
             train --resume {}",
            path.display()
        ));
    }
    // Files of a run that was killed before it wrote its first one.
    let left = |name: &&String| *name == LOCK || files::is_leftover(name);
    match names.iter().filter(|name| !left(name)).min() {
        Some(name) => refused(&format!(
            "this folder is not empty (`{}`), and a run has a folder of its own; name a new one",
            name.escape_debug()
        )),
        None => Ok(()),
    }
}

/// Replaces the error of a write into the folder of a run that trains where the folder itself is gone. It is looked at
/// afterwards, since it can be moved at any moment.
pub(super) fn require_present<T>(folder: &Path, written: Result<T>) -> Result<T> {
    written.map_err(|error| {
        if folder.is_dir() {
            return error;
        }
        let problem =
            "this folder was moved or removed while a run writes to it; nothing more can be saved there";
        Error::data(folder, problem)
    })
}

/// Locks a folder for this process.
pub(super) fn lock(path: &Path) -> Result<Lock> {
    Lock::take(&path.join(LOCK))
}

/// The outermost folder on the way to `path` that is not there.
fn missing(path: &Path) -> Option<PathBuf> {
    let missing = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    missing.last().map(Path::to_path_buf)
}

/// Removes the folders that a run created, from `path` out to `made`.
pub(super) fn remove_folders(path: &Path, made: Option<&Path>) {
    let Some(made) = made else { return };
    for folder in path.ancestors().take_while(|folder| folder.starts_with(made)) {
        // A folder that another run uses is not empty and is kept.
        let _ = fs::remove_dir(folder);
    }
}
