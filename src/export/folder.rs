//! A folder that appears whole or not at all.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::files::{self, Disk, Local};

/// A file of the folder.
pub(super) struct FolderFile {
    pub(super) name: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// Checks that nothing is lost where a folder is written.
///
/// # Errors
/// A file, or a folder with files in it, is there.
pub(super) fn require_free(path: &Path) -> Result<()> {
    files::require_free_or_folder(path)?;
    if fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
        let problem = "this folder is not empty; remove it, or name a new one with --output";
        return Err(Error::Config(format!("{}: {problem}", path.display())));
    }
    Ok(())
}

/// Writes the files into a temporary folder, which is renamed.
pub(super) fn write(path: &Path, contents: &[FolderFile]) -> Result<()> {
    let part = files::beside(path);
    let put = || -> std::io::Result<()> {
        files::remove_if_there(&Local, &part)?;
        fs::create_dir(&part)?;
        for FolderFile { name, bytes } in contents {
            files::write_new(&Local, &part.join(name), bytes)?;
        }
        Local.sync_dir(&part)?;
        Local.rename(&part, path)?;
        Local.sync_dir(files::parent(path))
    };
    put().map_err(|source| {
        let _ = files::remove_if_there(&Local, &part);
        Error::Io { action: "write", path: path.to_path_buf(), source }
    })
}
