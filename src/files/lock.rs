//! One process per folder: a locked file with its process id.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The lock of a folder. The system releases it when the process ends.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    /// Locked while it is open.
    _file: File,
}

impl Lock {
    /// Takes the lock by the file `path`.
    ///
    /// # Errors
    /// Another process holds it; its process id is in the message.
    pub fn take(path: &Path) -> Result<Self> {
        super::require_free_or_file(path)?;
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o644)
                .open(path)
                .map_err(Error::io("create", path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(held(path, &mut file)),
                Err(TryLockError::Error(error)) => {
                    // Some network file systems have no locks; a run there is on its own.
                    tracing::warn!("{} cannot be locked: {error}", path.display());
                }
            }
            // Whoever held it may have removed the file in between: then another process could lock a new one.
            let own = file.metadata().map_err(Error::io("read", path))?;
            if !fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino())) {
                continue;
            }
            file.set_len(0).map_err(Error::io("write", path))?;
            writeln!(file, "{}", std::process::id()).map_err(Error::io("write", path))?;
            return Ok(Self { path: path.to_path_buf(), _file: file });
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn held(path: &Path, file: &mut File) -> Error {
    let mut text = String::new();
    let _ = file.take(20).read_to_string(&mut text);
    let holder = match text.trim() {
        "" => "another process".to_owned(),
        pid => format!("process {}", pid.escape_debug()),
    };
    let problem = format!("{holder} is training in this folder; wait until it ends, or stop it");
    Error::data(super::parent(path), problem)
}
