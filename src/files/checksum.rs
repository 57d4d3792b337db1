//! Sums by which damage is seen: SHA-256, as `sha256sum` prints it.

use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Length and SHA-256 of a file, or of its start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checksum {
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
}

impl Checksum {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: hex(&Sha256::digest(bytes)) }
    }

    /// Of a file, without holding it in memory.
    pub fn of_file(path: &Path) -> Result<Self> {
        let (file, size) = super::open(path)?;
        let mut reader = Hashing::new(file);
        io::copy(&mut reader.by_ref().take(size), &mut io::sink()).map_err(Error::io("read", path))?;
        Ok(reader.sum())
    }
}

/// A reader that sums up what goes through it.
#[derive(Debug)]
pub struct Hashing<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
}

impl<R> Hashing<R> {
    /// Nothing read yet.
    pub fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    /// The sum of all that was read.
    pub fn sum(self) -> Checksum {
        Checksum { bytes: self.bytes, sha256: hex(&self.hash.finalize()) }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}

/// Two lower-case digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
