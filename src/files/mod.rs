//! Atomic writes: a file is written under a temporary name and synced, renamed, and its folder synced. The [`Disk`] is an
//! argument, so that tests can fail or stop at any operation.

mod checksum;
mod disk;
mod lock;
mod log;
mod paths;
mod unnamed;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

pub use checksum::{Checksum, Hashing, Sum, hex};
pub use disk::{Disk, Local};
pub use lock::Lock;
pub use log::Log;
pub(crate) use paths::{absolute_in, expand_home, relative_to};
pub use unnamed::write_whole;

/// Writes a file atomically: under its own name it is always whole.
///
/// # Errors
/// Errors of the disk; the previous file stays. A symbolic link, a device or a folder of this name is an error and stays.
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

/// The error with the number of bytes to write, which a full disk needs room for.
fn needing(error: &io::Error, bytes: usize) -> io::Error {
    io::Error::new(error.kind(), format!("{error}; it needs {bytes} bytes"))
}

/// Creates and syncs a file; its folder is not synced yet.
pub(crate) fn write_new(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    const PIECE: usize = 1 << 20;
    let file = disk.create(path)?;
    for piece in bytes.chunks(PIECE) {
        disk.write(path, &file, piece)?;
    }
    disk.sync(path, &file)
}

/// Makes `to` a hard link of the file `from`, or a copy if the file system has none.
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

/// The temporary name under which `path` is written.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.part"))
}

/// Whether a name is one of [`beside`], left by a crash.
pub(crate) fn is_leftover(name: &str) -> bool {
    name.strip_prefix('.').is_some_and(|rest| rest.strip_suffix(".part").is_some())
}

/// Removes what an earlier process left half-written in a folder; returns the paths.
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

/// Renames a file or folder to a name that nothing has: `metrics.jsonl.damaged-1`.
pub(crate) fn set_aside(disk: &dyn Disk, path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    let name = |n: u32| PathBuf::from(format!("{}.damaged-{n}", path.display()));
    let free = (1..=u32::MAX).map(name).find(|path| fs::symlink_metadata(path).is_err());
    free.map_or(Ok(()), |free| disk.rename(path, &free)).map_err(Error::io("rename", path))
}

/// Reads until the buffer is full or the source ends; gives how much was read.
pub(crate) fn read_up_to(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Checks that `path` is free or a file.
pub(crate) fn require_free_or_file(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => Err(Error::data(path, in_the_way(found.file_type(), "file"))),
        _ => Ok(()),
    }
}

/// Checks that `path` is free or a folder.
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

/// A file that is open for reading.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) file: File,
    /// Its length in bytes.
    pub(crate) size: u64,
}

/// Opens a regular file for reading. A pipe would wait for ever, and a device has no end.
pub(crate) fn open(path: &Path) -> Result<OpenFile> {
    let found = fs::metadata(path).map_err(Error::io("open", path))?;
    if !found.is_file() {
        return Err(Error::data(path, "this is not a file"));
    }
    let file = File::open(path).map_err(Error::io("open", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    Ok(OpenFile { file, size })
}

/// The folder that contains a path.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
