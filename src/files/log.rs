//! An append-only file that can be truncated to an earlier state.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::{Checksum, Disk, Hashing, Sum};
use crate::error::{Error, Result};

/// A log of lines.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    /// The checksum of the file.
    sum: Sum,
    /// Lines that could not be written yet.
    waiting: Vec<u8>,
}

impl Log {
    /// Creates a log; an error if the file exists.
    pub fn create(disk: &dyn Disk, path: &Path) -> Result<Self> {
        let file = disk.create(path).map_err(Error::io("create", path))?;
        Ok(Self { path: path.to_path_buf(), file, sum: Sum::default(), waiting: Vec::new() })
    }

    /// Whether a log still begins with the bytes of this checksum.
    pub fn begins_with(path: &Path, start: &Checksum) -> Result<bool> {
        super::require_free_or_file(path)?;
        let file = super::open(path)?.file;
        Ok(sum_of_start(&file, path, start.bytes)?.checksum() == *start)
    }

    /// Continues a log as it was at this checksum; what was added since is removed.
    pub fn resume(path: &Path, start: &Checksum) -> Result<Self> {
        super::require_free_or_file(path)?;
        let opened = OpenOptions::new().append(true).read(true).open(path);
        let file = opened.map_err(Error::io("open", path))?;
        let sum = sum_of_start(&file, path, start.bytes)?;
        if sum.checksum() != *start {
            return Err(Error::data(path, "the file changed while it was read"));
        }
        file.set_len(start.bytes).map_err(Error::io("write", path))?;
        Ok(Self { path: path.to_path_buf(), file, sum, waiting: Vec::new() })
    }

    /// Adds a line. One that cannot be written is kept for the next call, and no part of it stays in the file.
    pub fn add(&mut self, disk: &dyn Disk, line: &str) -> Result<()> {
        self.waiting.extend_from_slice(line.as_bytes());
        self.waiting.push(b'\n');
        self.flush(disk)
    }

    fn flush(&mut self, disk: &dyn Disk) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        if let Err(error) = disk.write(&self.path, &self.file, &self.waiting) {
            let _ = self.file.set_len(self.sum.bytes());
            return Err(Error::io("write", &self.path)(super::needing(&error, self.waiting.len())));
        }
        self.sum.add(&self.waiting);
        self.waiting.clear();
        Ok(())
    }

    /// Whether the file at the log's path is the one that was written here, as long as it was left.
    pub fn is_in_place(&self) -> Result<bool> {
        let own = self.file.metadata().map_err(Error::io("read", &self.path))?;
        let there = fs::symlink_metadata(&self.path);
        let same = there.is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino()));
        Ok(same && own.len() == self.sum.bytes())
    }

    /// Begins a new file at the log's path, with the lines of the old one if they can still be read. An existing file
    /// is renamed. Returns whether all lines were restored.
    ///
    /// # Errors
    /// The folder is gone, or the disk refuses.
    pub fn restore(&mut self, disk: &dyn Disk) -> Result<bool> {
        let lines = self.lines().filter(|lines| Checksum::of(lines) == self.sum.checksum());
        super::set_aside(disk, &self.path)?;
        let file = disk.create(&self.path).map_err(Error::io("create", &self.path))?;
        (self.file, self.sum) = (file, Sum::default());
        let is_whole = lines.is_some();
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting = lines.unwrap_or_default();
        self.waiting.extend(waiting);
        self.flush(disk).map(|()| is_whole)
    }

    /// The contents of the open file, even if it no longer has a name.
    fn lines(&self) -> Option<Vec<u8>> {
        let mut lines = vec![0; usize::try_from(self.sum.bytes()).ok()?];
        self.file.read_exact_at(&mut lines, 0).ok()?;
        Some(lines)
    }

    /// Syncs all lines to the disk; returns the checksum of the file.
    pub fn sync(&mut self, disk: &dyn Disk) -> Result<Checksum> {
        self.flush(disk)?;
        disk.sync(&self.path, &self.file).map_err(Error::io("write", &self.path))?;
        Ok(self.sum.checksum())
    }
}

/// The checksum of the first `bytes` of a file, or of all of a shorter one.
fn sum_of_start(file: &File, path: &Path, bytes: u64) -> Result<Sum> {
    let mut reader = Hashing::new(file.take(bytes));
    io::copy(&mut reader, &mut io::sink()).map_err(Error::io("read", path))?;
    Ok(reader.sum())
}
