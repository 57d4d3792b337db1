//! SHA-256 checksums, which detect damage; as `sha256sum` prints them.

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
    /// The checksum of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: hex(&Sha256::digest(bytes)) }
    }

    /// The checksum of a file, which is not held in memory.
    pub fn of_file(path: &Path) -> Result<Self> {
        let super::OpenFile { file, size } = super::open(path)?;
        let mut reader = Hashing::new(file);
        io::copy(&mut reader.by_ref().take(size), &mut io::sink()).map_err(Error::io("read", path))?;
        Ok(reader.sum().checksum())
    }
}

/// A checksum that is computed incrementally.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    hash: Sha256,
    bytes: u64,
}

impl Sum {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// The number of bytes added.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The checksum of all bytes added.
    pub fn checksum(&self) -> Checksum {
        Checksum { bytes: self.bytes, sha256: hex(&self.hash.clone().finalize()) }
    }
}

/// A reader that computes the checksum of what is read through it.
#[derive(Debug)]
pub struct Hashing<R> {
    inner: R,
    sum: Sum,
}

impl<R> Hashing<R> {
    /// Wraps a reader.
    pub fn new(inner: R) -> Self {
        Self { inner, sum: Sum::default() }
    }

    /// The checksum of all that was read.
    pub fn sum(self) -> Sum {
        self.sum
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.sum.add(&buffer[..count]);
        Ok(count)
    }
}

/// Lower-case hexadecimal, two digits per byte.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
