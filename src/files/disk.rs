//! The operations on a disk that saving is made of.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What saving asks of a disk, one system call or few each. [`Local`] is the machine's; the tests have some that record
/// what happens, fail, or stop as a power cut does.
pub trait Disk: Send + Sync {
    /// Makes a folder.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes an empty file that must not be there yet, not even as a link.
    fn create(&self, path: &Path) -> io::Result<File>;

    /// Writes at the end of an open file.
    fn write(&self, path: &Path, file: &File, bytes: &[u8]) -> io::Result<()>;

    /// Waits until all that was written to a file lies on the disk.
    fn sync(&self, path: &Path, file: &File) -> io::Result<()>;

    /// Waits until the names in a folder lie on the disk.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Gives a file or folder another name; a file of that name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name.
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
        OpenOptions::new().append(true).create_new(true).mode(0o644).open(path)
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
