//! Writing files so that under their own names they are always whole: write beside, sync the file, rename, sync the
//! folder. What does so takes the [`Disk`] as an argument, which the tests let fail and stop anywhere.

mod checksum;
mod disk;
mod lock;
mod log;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

pub use checksum::{Checksum, Hashing, Sum, hex};
pub use disk::{Disk, Local};
pub use lock::Lock;
pub use log::Log;

/// Writes a file beside and renames it into place: under its own name it is always whole.
///
/// # Errors
/// What the disk says; then there is what was there before. A symbolic link, a device or a folder of this name is
/// refused and left alone.
pub fn write(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<()> {
    require_free_or_file(path)?;
    let part = beside(path);
    let put = || -> io::Result<()> {
        remove_if_there(disk, &part)?;
        write_new(disk, &part, bytes).map_err(|error| needing(&error, bytes.len()))?;
        disk.rename(&part, path)?;
        disk.sync_dir(parent(path))
    };
    put().map_err(|source| {
        let _ = disk.remove_file(&part);
        Error::Io { action: "write", path: path.to_path_buf(), source }
    })
}

/// As [`write()`], for what is too large to be in memory: `fill` puts it into the file.
///
/// # Errors
/// What `fill` or the disk says; then there is what was there before.
pub fn write_whole<E: From<Error>>(
    path: &Path,
    fill: impl FnOnce(&mut (dyn io::Write + Send)) -> Result<(), E>,
) -> Result<(), E> {
    require_free_or_file(path)?;
    let part = beside(path);
    let put = || -> Result<(), E> {
        let io = Error::io;
        remove_if_there(&Local, &part).map_err(io("write", path))?;
        let mut file = Local.create(&part).map_err(io("write", path))?;
        fill(&mut file)?;
        Local.sync(&part, &file).map_err(io("write", path))?;
        Local.rename(&part, path).map_err(io("write", path))?;
        Ok(Local.sync_dir(parent(path)).map_err(io("write", path))?)
    };
    put().inspect_err(|_| {
        let _ = fs::remove_file(&part);
    })
}

/// The error with the bytes that were to be written: on a full disk it is what to make room for.
fn needing(error: &io::Error, bytes: usize) -> io::Error {
    io::Error::new(error.kind(), format!("{error}; it needs {bytes} bytes"))
}

/// Writes a file that must not be there yet, down to the disk; its name is not yet made to last.
pub(crate) fn write_new(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    const PIECE: usize = 1 << 20;
    let file = disk.create(path)?;
    for piece in bytes.chunks(PIECE) {
        disk.write(path, &file, piece)?;
    }
    disk.sync(path, &file)
}

/// Makes `to` another name of the file `from`, or a copy where the file system knows no such names.
pub(crate) fn link_or_copy(disk: &dyn Disk, from: &Path, to: &Path) -> io::Result<()> {
    match disk.link(from, to) {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) =>
        {
            write_new(disk, to, &fs::read(from)?)
        }
        done => done,
    }
}

/// The name beside `path` under which it is written.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.part"))
}

/// Whether a name is one of [`beside`]'s: what a crash left over.
fn is_leftover(name: &str) -> bool {
    name.strip_prefix('.').is_some_and(|rest| rest.strip_suffix(".part").is_some())
}

/// Removes what an earlier process left half-written in a folder. Gives the names.
pub fn clear_leftovers(disk: &dyn Disk, folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read", folder)(error)),
    };
    let mut cleared = Vec::new();
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_leftover) {
            let path = entry.path();
            remove_if_there(disk, &path).map_err(Error::io("remove", &path))?;
            cleared.push(path);
        }
    }
    Ok(cleared)
}

/// Removes a file, a link (not what it points to), or a folder with the files in it.
pub(crate) fn remove_if_there(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) if found.is_dir() => {
            for entry in fs::read_dir(path)? {
                disk.remove_file(&entry?.path())?;
            }
            disk.remove_dir(path)
        }
        Ok(_) => disk.remove_file(path),
    }
}

/// Refuses to put a file in the place of anything but a file.
pub(crate) fn require_free_or_file(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => Err(Error::data(path, in_the_way(found.file_type(), "file"))),
        _ => Ok(()),
    }
}

/// Refuses to use anything but a folder as one.
pub(crate) fn require_free_or_folder(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_dir() => Err(Error::data(path, in_the_way(found.file_type(), "folder"))),
        _ => Ok(()),
    }
}

fn in_the_way(found: fs::FileType, wanted: &str) -> String {
    let kind = match () {
        () if found.is_symlink() => "a symbolic link",
        () if found.is_dir() => "a folder",
        () if found.is_file() => "a file",
        () => "a device, a pipe or a socket",
    };
    format!("{kind} lies where a {wanted} is to be written; move it away")
}

/// Opens a regular file for reading. A pipe would wait for ever, and a device has no end.
pub(crate) fn open(path: &Path) -> Result<(File, u64)> {
    let found = fs::metadata(path).map_err(Error::io("open", path))?;
    if !found.is_file() {
        return Err(Error::data(path, "this is not a file"));
    }
    let file = File::open(path).map_err(Error::io("open", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    Ok((file, size))
}

/// The folder that a path lies in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
