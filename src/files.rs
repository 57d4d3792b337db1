//! Writing files so that under their own names they are always whole.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes a file beside and renames it into place: under its own name it is always whole.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = beside(path);
    let put = || -> std::io::Result<()> {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        sync_parent(path)
    };
    put().map_err(|source| {
        let _ = fs::remove_file(&part);
        Error::Io { action: "write", path: path.to_path_buf(), source }
    })
}

/// The name beside `path` under which it is written.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.part"))
}

/// Makes a rename in the folder of `path` last.
pub(crate) fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}
