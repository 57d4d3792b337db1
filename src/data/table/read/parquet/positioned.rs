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
    /// An error past the end of the file, where other readers return 0: a damaged page header may claim a list of billions of
    /// elements, and parquet would skip them one by one.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.place)?;
        if read == 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
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
        let left = self.len().saturating_sub(start);
        // A length that the file does not have takes no memory.
        if left < length as u64 {
            let message = format!("Expected to read {length} bytes, read only {left}");
            return Err(parquet::errors::ParquetError::EOF(message));
        }
        let mut bytes = vec![0; length];
        self.0.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}
