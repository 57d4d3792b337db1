//! Where a table is read from.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::data::gzip::Gunzip;
use crate::data::pass::PassReader;
use crate::error::{Error, Result};
use crate::files::{self, OpenFile};

const BUFFER: usize = 1 << 18;

/// A file, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file, gzipped or not.
    File(PathBuf),
    /// Standard input, which can be read once.
    Stdin,
}

impl Input {
    /// Its name in messages.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Stdin => Path::new("standard input"),
        }
    }

    /// The bytes, unpacked where they are gzipped.
    pub(super) fn bytes(&self) -> Result<Box<dyn Read + Send>> {
        let mut source: Box<dyn Read + Send> = match self {
            Self::File(path) => {
                let OpenFile { file, size } = files::open(path)?;
                Box::new(PassReader::new(file, path, size))
            }
            Self::Stdin => Box::new(io::stdin()),
        };
        let mut magic = [0; 2];
        let mut read = 0;
        while read < magic.len() {
            match source.read(&mut magic[read..]).map_err(Error::io("read", self.path()))? {
                0 => break,
                n => read += n,
            }
        }
        let whole = Cursor::new(magic).take(read as u64).chain(source);
        if magic == [0x1f, 0x8b] {
            return Ok(Box::new(BufReader::with_capacity(BUFFER, Gunzip::new(whole))));
        }
        Ok(Box::new(BufReader::with_capacity(BUFFER, whole)))
    }

    /// A file that can be read at any place; standard input is put into one, which has no name.
    pub(super) fn file(&self) -> Result<File> {
        match self {
            Self::File(path) => Ok(files::open(path)?.file),
            Self::Stdin => {
                let mut file = tempfile::tempfile().map_err(Error::io("keep", self.path()))?;
                io::copy(&mut io::stdin().lock(), &mut file).map_err(Error::io("keep", self.path()))?;
                Ok(file)
            }
        }
    }
}
