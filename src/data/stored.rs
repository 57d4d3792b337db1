//! Rows that do not fit into memory, kept in an unnamed temporary file that disappears with the process.
//!
//! Rows have a fixed length, features before targets, so that any row can be read directly.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use super::window_form::WindowForm;
use crate::error::{Error, Result};

/// Encoded rows in a file, or windows of them. Clones share it.
#[derive(Debug, Clone)]
pub struct Stored {
    file: Arc<File>,
    place: PathBuf,
    form: Form,
    rows: usize,
    windows: Option<WindowForm>,
    /// The weight of each row, in memory; empty where rows count alike.
    weights: Arc<Vec<f64>>,
}

/// The layout of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// The number of features.
    pub features: usize,
    /// The number of target values; 0 if the target is a class index.
    pub targets: usize,
    /// Whether features are f64 instead of f32; target values are always f64.
    pub wide: bool,
}

impl Form {
    fn number(self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    fn features_bytes(self) -> usize {
        self.features * self.number()
    }

    /// The size of a row in bytes.
    pub fn bytes(self) -> usize {
        self.features_bytes() + 8 * self.targets.max(1)
    }

    /// The dtype of its numbers.
    pub fn dtype(self) -> DType {
        if self.wide { DType::F64 } else { DType::F32 }
    }
}

/// Writes rows to a file.
#[derive(Debug)]
pub struct StoredWriter {
    file: BufWriter<File>,
    place: PathBuf,
    form: Form,
    rows: usize,
    bytes: Vec<u8>,
    weights: Vec<f64>,
}

impl StoredWriter {
    /// The folder of the file: `$TMPDIR`, else `/var/tmp`.
    pub fn place() -> PathBuf {
        let given = std::env::var_os("TMPDIR").filter(|place| !place.is_empty());
        let usual = || Some(PathBuf::from("/var/tmp")).filter(|place| place.is_dir());
        given.map(PathBuf::from).or_else(usual).unwrap_or_else(std::env::temp_dir)
    }

    /// The bytes that are free in that folder, if the system reports them.
    pub fn free() -> Option<u64> {
        let system = rustix::fs::statvfs(Self::place()).ok()?;
        Some(system.f_bavail.saturating_mul(system.f_frsize))
    }

    /// Creates a file in [`StoredWriter::place`].
    pub fn create(form: Form) -> Result<Self> {
        let place = Self::place();
        let file = tempfile::tempfile_in(&place).map_err(|error| Self::error(&place, &error))?;
        let file = BufWriter::with_capacity(1 << 20, file);
        Ok(Self { file, place, form, rows: 0, bytes: Vec::new(), weights: Vec::new() })
    }

    /// Adds a row: its features, and its target values or its class.
    pub fn add(&mut self, features: &[f64], values: &[f64], class: i64) -> Result<()> {
        self.bytes.clear();
        for number in features {
            #[allow(clippy::cast_possible_truncation, reason = "the run's precision")]
            if self.form.wide {
                self.bytes.extend(number.to_le_bytes());
            } else {
                self.bytes.extend((*number as f32).to_le_bytes());
            }
        }
        for value in values {
            self.bytes.extend(value.to_le_bytes());
        }
        if self.form.targets == 0 {
            self.bytes.extend(class.to_le_bytes());
        }
        self.file.write_all(&self.bytes).map_err(|e| Self::error(&self.place, &e))?;
        self.rows += 1;
        Ok(())
    }

    /// Says how much the rows count that were added last.
    pub fn weigh(&mut self, weights: &[f64]) {
        self.weights.extend_from_slice(weights);
    }

    /// Ends writing, and returns the rows.
    pub fn finish(self) -> Result<Stored> {
        let Self { file, place, form, rows, weights, .. } = self;
        let file = file.into_inner().map_err(|e| Self::error(&place, &e.into_error()))?;
        Ok(Stored { file: Arc::new(file), place, form, rows, windows: None, weights: Arc::new(weights) })
    }

    /// The error of a temporary file in this folder that can't be written.
    pub(in crate::data) fn error(folder: &Path, error: &std::io::Error) -> Error {
        let hint = format!("{error}; set TMPDIR to another folder, or for training raise `data.memory`");
        Error::io("keep the rows in", folder)(std::io::Error::new(error.kind(), hint))
    }
}

impl Stored {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The weight of each row, where they have some.
    pub fn weights(&self) -> Option<Vec<f64>> {
        (!self.weights.is_empty()).then(|| self.weights.to_vec())
    }

    /// The layout of a row.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The same rows as windows, named by their first rows.
    pub fn with_windows(self, windows: WindowForm) -> Self {
        Self { windows: Some(windows), ..self }
    }

    /// The windows, where the rows are read as such.
    pub(in crate::data) fn windows(&self) -> Option<&WindowForm> {
        self.windows.as_ref()
    }

    /// The targets of a row, or of a window.
    pub(in crate::data) fn outputs(&self) -> usize {
        self.form.targets * self.windows.as_ref().map_or(1, |windows| windows.targets.len())
    }

    /// The rows themselves, of which there are [`Stored::len`].
    pub fn single_rows(&self) -> Self {
        Self { windows: None, ..self.clone() }
    }

    /// The features of these rows, (rows, F), or of windows, (windows, T F).
    pub fn features(&self, rows: &[u32]) -> Result<Tensor> {
        let (of, count) = match &self.windows {
            Some(windows) => (&*windows.rows_of(rows), windows.rows),
            None => (rows, 1),
        };
        let bytes = self.read(of, 0, self.form.features_bytes())?;
        let shape = (rows.len(), count * self.form.features);
        if self.form.wide {
            return doubles(&bytes, shape);
        }
        let numbers: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Ok(Tensor::from_vec(numbers, shape, &Device::Cpu)?)
    }

    /// The targets of these rows: classes (rows), or values (rows, K) of F64; of windows, all of their targets' rows.
    pub fn targets(&self, rows: &[u32]) -> Result<Tensor> {
        let start = self.form.features_bytes();
        let (of, count) = match &self.windows {
            Some(windows) => (&*windows.targets_of(rows), windows.targets.len()),
            None => (rows, 1),
        };
        let bytes = self.read(of, start, self.form.bytes() - start)?;
        if self.form.targets > 0 {
            return doubles(&bytes, (rows.len(), count * self.form.targets));
        }
        let classes: Vec<i64> = bytes.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect();
        Ok(Tensor::from_vec(classes, rows.len(), &Device::Cpu)?)
    }

    /// Bytes `start .. start + length` of each of these rows.
    fn read(&self, rows: &[u32], start: usize, length: usize) -> Result<Vec<u8>> {
        let stride = self.form.bytes();
        let mut bytes = vec![0; rows.len() * length];
        let mut done = 0;
        let mut run = Vec::new();
        // Consecutive rows are read at once.
        for neighbours in rows.chunk_by(|a, b| *b == a.wrapping_add(1)) {
            let first = neighbours.first().map_or(0, |row| *row as usize);
            let count = neighbours.len();
            let from = (first * stride + start) as u64;
            run.resize((count - 1) * stride + length, 0);
            self.file.read_exact_at(&mut run, from).map_err(Error::io("read the rows in", &self.place))?;
            for row in run.chunks(stride) {
                bytes[done..done + length].copy_from_slice(&row[..length]);
                done += length;
            }
        }
        Ok(bytes)
    }
}

fn doubles(bytes: &[u8], shape: (usize, usize)) -> Result<Tensor> {
    let numbers: Vec<f64> = bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    Ok(Tensor::from_vec(numbers, shape, &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_any_order() {
        for wide in [false, true] {
            let form = Form { features: 3, targets: 0, wide };
            let mut writer = StoredWriter::create(form).unwrap();
            for row in 0..10 {
                let x = f64::from(row);
                writer.add(&[x, x + 0.25, -x], &[], i64::from(row % 3)).unwrap();
            }
            let stored = writer.finish().unwrap();
            assert_eq!(stored.len(), 10);
            let features = stored.features(&[7, 8, 9, 0, 3]).unwrap().to_dtype(DType::F64).unwrap();
            assert_eq!(features.to_vec2::<f64>().unwrap()[1], [8.0, 8.25, -8.0]);
            assert_eq!(features.to_vec2::<f64>().unwrap()[3], [0.0, 0.25, 0.0]);
            assert_eq!(stored.targets(&[7, 8, 9, 0]).unwrap().to_vec1::<i64>().unwrap(), [1, 2, 0, 0]);
            assert!(stored.features(&[10]).is_err());
        }
        let form = Form { features: 1, targets: 2, wide: true };
        let mut writer = StoredWriter::create(form).unwrap();
        writer.add(&[1.0], &[2.0, 3.0], 0).unwrap();
        assert_eq!(writer.finish().unwrap().targets(&[0]).unwrap().to_vec2::<f64>().unwrap(), [[2.0, 3.0]]);
        // Targets are kept in full, whatever the features are.
        let mut writer = StoredWriter::create(Form { features: 1, targets: 1, wide: false }).unwrap();
        writer.add(&[0.1], &[16_777_217.0], 0).unwrap();
        writer.add(&[0.1], &[0.1], 0).unwrap();
        let stored = writer.finish().unwrap();
        assert_eq!(stored.targets(&[1, 0]).unwrap().to_vec2::<f64>().unwrap(), [[0.1], [16_777_217.0]]);
        assert_eq!(stored.features(&[0]).unwrap().to_vec2::<f32>().unwrap(), [[0.1]]);
    }
}
