//! A file that several column readers read at once, each at its own place.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};

/// A file without a place of its own: parquet's reader of a [`File`] moves one that all its clones share.
#[derive(Debug, Clone)]
pub(in crate::data::table::read) struct PositionedFile(Arc<File>);

/// The bytes of a file from a place on.
#[derive(Debug)]
pub(in crate::data::table::read) struct BytesFrom {
    file: Arc<File>,
    place: u64,
}

impl PositionedFile {
    pub(super) fn new(file: File) -> Self {
        Self(Arc::new(file))
    }
}

impl Read for BytesFrom {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}

impl Length for PositionedFile {
    fn len(&self) -> u64 {
        self.0.metadata().map_or(0, |found| found.len())
    }
}

impl ChunkReader for PositionedFile {
    type T = BufReader<BytesFrom>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(BytesFrom { file: self.0.clone(), place: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = Vec::new();
        // A length that the file does not have takes no memory.
        let read =
            BytesFrom { file: self.0.clone(), place: start }.take(length as u64).read_to_end(&mut bytes)?;
        if read == length {
            return Ok(bytes.into());
        }
        Err(parquet::errors::ParquetError::EOF(format!("Expected to read {length} bytes, read only {read}")))
    }
}
