//! The file-system operations that saving uses.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file-system operations that saving uses, each one or a few system calls. [`Local`] is the machine's; tests use
/// disks that record the operations, fail, or stop as in a power cut.
pub trait Disk: Send + Sync {
    /// Creates a folder.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Creates an empty file; an error if the name exists, even as a link.
    fn create(&self, path: &Path) -> io::Result<File>;

    /// Writes at the end of an open file.
    fn write(&self, path: &Path, file: &File, bytes: &[u8]) -> io::Result<()>;

    /// Syncs a file to the disk.
    fn sync(&self, path: &Path, file: &File) -> io::Result<()>;

    /// Syncs a folder to the disk: the names in it.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Renames a file or folder; a file of that name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Creates a hard link.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
}

/// The file system of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Local;

impl Disk for Local {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).append(true).create_new(true).mode(0o644).open(path)
    }

    fn write(&self, _: &Path, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&self, _: &Path, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }
}
