//! The features of the rows of a series: in memory, or in an unnamed temporary file where they are too many.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::data::stored::StoredWriter;
use crate::data::table::batch_bytes;
use crate::error::{Error, Result};

const NUMBER: usize = size_of::<f64>();

/// Features (N, F) in the order of the file.
#[derive(Debug)]
pub(super) struct SeriesFeatures {
    width: usize,
    /// The most bytes that they may take in memory.
    memory: usize,
    store: FeatureStore,
}

#[derive(Debug)]
enum FeatureStore {
    Memory(Vec<f64>),
    File { file: File, folder: PathBuf, bytes: u64 },
}

impl SeriesFeatures {
    /// No rows yet, of `width` features. All of them stay in memory while they take at most `memory` MiB, else none.
    pub(super) fn new(width: usize, memory: u64) -> Self {
        let memory = usize::try_from(memory.saturating_mul(1 << 20)).unwrap_or(usize::MAX);
        Self { width, memory, store: FeatureStore::Memory(Vec::new()) }
    }

    /// The number of features of a row.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Adds rows, one behind the other.
    pub(super) fn extend(&mut self, rows: &[f64]) -> Result<()> {
        if let FeatureStore::Memory(numbers) = &mut self.store {
            if (numbers.len() + rows.len()) * NUMBER <= self.memory {
                numbers.extend_from_slice(rows);
                return Ok(());
            }
            let earlier = std::mem::take(numbers);
            let folder = StoredWriter::place();
            let file = tempfile::tempfile_in(&folder).map_err(|e| StoredWriter::error(&folder, &e))?;
            self.store = FeatureStore::File { file, folder, bytes: 0 };
            self.write(&earlier)?;
        }
        self.write(rows)
    }

    fn write(&mut self, numbers: &[f64]) -> Result<()> {
        let FeatureStore::File { file, folder, bytes } = &mut self.store else { return Ok(()) };
        // A mebibyte at a time: what is in memory may be hundreds.
        for numbers in numbers.chunks(1 << 17) {
            let mut chunk = Vec::new();
            batch_bytes::extend(&mut chunk, numbers, f64::to_le_bytes);
            file.write_all_at(&chunk, *bytes).map_err(|error| StoredWriter::error(folder, &error))?;
            *bytes += chunk.len() as u64;
        }
        Ok(())
    }

    /// Appends the features of these rows to `numbers`.
    pub(super) fn read(&self, rows: &[u32], numbers: &mut Vec<f64>) -> Result<()> {
        // Consecutive rows are read at once.
        for neighbours in rows.chunk_by(|a, b| *b == a.wrapping_add(1)) {
            let start = neighbours[0] as usize * self.width;
            let count = neighbours.len() * self.width;
            match &self.store {
                FeatureStore::Memory(own) => numbers.extend_from_slice(&own[start..start + count]),
                FeatureStore::File { file, folder, .. } => {
                    let mut bytes = vec![0; count * NUMBER];
                    let read = file.read_exact_at(&mut bytes, (start * NUMBER) as u64);
                    read.map_err(Error::io("read the rows in", folder))?;
                    numbers.extend(bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)));
                }
            }
        }
        Ok(())
    }

    /// One feature of a row.
    pub(super) fn get(&self, row: usize, feature: usize) -> Result<f64> {
        let place = row * self.width + feature;
        match &self.store {
            FeatureStore::Memory(numbers) => Ok(numbers[place]),
            FeatureStore::File { file, folder, .. } => {
                let mut bytes = [0; NUMBER];
                let read = file.read_exact_at(&mut bytes, (place * NUMBER) as u64);
                read.map_err(Error::io("read the rows in", folder))?;
                Ok(f64::from_le_bytes(bytes))
            }
        }
    }

    /// Replaces one feature of a row.
    pub(super) fn set(&mut self, row: usize, feature: usize, value: f64) -> Result<()> {
        let place = row * self.width + feature;
        match &mut self.store {
            FeatureStore::Memory(numbers) => numbers[place] = value,
            FeatureStore::File { file, folder, .. } => {
                let written = file.write_all_at(&value.to_le_bytes(), (place * NUMBER) as u64);
                written.map_err(|error| StoredWriter::error(folder, &error))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::real;

    #[test]
    fn features_are_the_same_in_memory_and_in_a_file() {
        let (width, rows) = (3, 50_000);
        let numbers: Vec<f64> = (0..width * rows).map(|number| real(number) / 7.0).collect();
        for memory in [u64::MAX, 1, 0] {
            let mut features = SeriesFeatures::new(width, memory);
            numbers.chunks(7 * width).for_each(|rows| features.extend(rows).unwrap());
            assert_eq!(matches!(features.store, FeatureStore::File { .. }), memory < u64::MAX);
            features.set(41, 2, -1.5).unwrap();
            assert_eq!(features.get(41, 2).unwrap().to_bits(), (-1.5f64).to_bits());
            let mut read = vec![9.0];
            features.read(&[40, 41, 49_999, 0], &mut read).unwrap();
            let mut expected = vec![9.0];
            for row in [40, 41, 49_999, 0] {
                expected.extend_from_slice(&numbers[row * width..(row + 1) * width]);
            }
            expected[6] = -1.5;
            assert_eq!(read, expected);
        }
    }
}
