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
    write_with(path, |part| {
        contents.iter().try_for_each(|FolderFile { name, bytes }| {
            files::write_new(&Local, &part.join(name), bytes).map_err(Error::io("write", path))
        })
    })
}

/// As [`write`], where `contents` writes the files into the folder that it is given.
pub(super) fn write_with(path: &Path, contents: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let part = files::beside(path);
    let begin = || -> std::io::Result<()> {
        files::remove_if_there(&Local, &part)?;
        fs::create_dir(&part)
    };
    let end = || -> std::io::Result<()> {
        Local.sync_dir(&part)?;
        Local.rename(&part, path)?;
        Local.sync_dir(files::parent(path))
    };
    let failed = |source| Error::Io { action: "write", path: path.to_path_buf(), source };
    let whole = || {
        begin().map_err(failed)?;
        contents(&part)?;
        end().map_err(failed)
    };
    whole().inspect_err(|_| _ = files::remove_if_there(&Local, &part))
}
