//! A file that only grows, and can be taken back to where it was.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Checksum, Disk, Hashing, hex};
use crate::error::{Error, Result};

/// A log of lines.
pub struct Log {
    path: PathBuf,
    file: File,
    length: u64,
    hash: Sha256,
    /// What could not be written yet.
    waiting: Vec<u8>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("path", &self.path).field("length", &self.length).finish_non_exhaustive()
    }
}

impl Log {
    /// A new log; there must be no file of this name.
    pub fn create(disk: &dyn Disk, path: &Path) -> Result<Self> {
        let file = disk.create(path).map_err(Error::io("create", path))?;
        Ok(Self { path: path.to_path_buf(), file, length: 0, hash: Sha256::new(), waiting: Vec::new() })
    }

    /// Whether a log still begins as it was when it had this sum.
    pub fn begins_with(path: &Path, start: &Checksum) -> Result<bool> {
        super::require_free_or_file(path)?;
        let (file, size) = super::open(path)?;
        if size < start.bytes {
            return Ok(false);
        }
        let mut reader = Hashing::new(file.take(start.bytes));
        io::copy(&mut reader, &mut io::sink()).map_err(Error::io("read", path))?;
        Ok(reader.sum() == *start)
    }

    /// Goes on with a log as it was when it had this sum: what was added since is taken back.
    pub fn resume(path: &Path, start: &Checksum) -> Result<Self> {
        super::require_free_or_file(path)?;
        let opened = OpenOptions::new().append(true).read(true).open(path);
        let mut file = opened.map_err(Error::io("open", path))?;
        let mut bytes = Vec::new();
        (&mut file).take(start.bytes).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
        if Checksum::of(&bytes) != *start {
            return Err(Error::data(path, "the file changed while it was read"));
        }
        file.set_len(start.bytes).map_err(Error::io("write", path))?;
        let hash = Sha256::new().chain_update(&bytes);
        Ok(Self { path: path.to_path_buf(), file, length: start.bytes, hash, waiting: Vec::new() })
    }

    /// Adds a line. One that cannot be written waits for the next call, and nothing of it stays in the file.
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
            let _ = self.file.set_len(self.length);
            return Err(Error::io("write", &self.path)(super::needing(&error, self.waiting.len())));
        }
        self.length += self.waiting.len() as u64;
        self.hash.update(&self.waiting);
        self.waiting.clear();
        Ok(())
    }

    /// Brings all lines to the disk; gives the sum of the file.
    pub fn sync(&mut self, disk: &dyn Disk) -> Result<Checksum> {
        self.flush(disk)?;
        disk.sync(&self.path, &self.file).map_err(Error::io("write", &self.path))?;
        Ok(Checksum { bytes: self.length, sha256: hex(&self.hash.clone().finalize()) })
    }
}
