//! Rows on their way from a source to the data sets of a run.

use candle_core::{DType, Tensor};

use super::bytes::Bytes;
use super::memory::MemoryLimit;
use super::pictures::Pictures;
use super::preprocess::PreprocessingSource;
use super::series_baselines::SeriesBaselines;
use super::stored::Stored;
use crate::names::counted;

/// Inputs and their targets.
#[derive(Debug, Clone)]
pub struct Rows {
    /// (N, …): bytes for images, else f32 or f64.
    pub xs: Tensor,
    /// Classes (N) as I64, or values or probabilities (N, K) as f64.
    pub ys: Tensor,
    /// The weight of each row; nothing where they count alike.
    pub weights: Option<Vec<f64>>,
}

/// The rows that a source has read.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// Rows as they are in the file: not split, not normalised.
    Raw(RawRows),
    /// Rows that the source has split and encoded itself.
    Encoded(Box<EncodedSplits>),
}

/// Rows on the CPU, as they are in the file.
#[derive(Debug, Clone)]
pub struct RawRows {
    /// The rows to train on.
    pub train: Rows,
    /// The validation rows, where the source has some.
    pub validation: Option<Rows>,
    /// The rows to test on, where the source has some.
    pub test: Option<Rows>,
    /// The share of the rows to test on, where the source has no test rows of its own.
    pub test_share: f64,
    /// The number of classes, or of target values.
    pub outputs: usize,
    /// Whether the rows are in time order, so that the latest are held out.
    pub ordered: bool,
    /// For pictures: their size and the class names.
    pub pictures: Option<Pictures>,
    /// The meaning of the inputs if they are bytes.
    pub bytes: Bytes,
    /// The memory that is left for what is made of them.
    pub room: MemoryLimit,
}

/// Rows that are split and encoded.
#[derive(Debug, Clone)]
pub struct EncodedSplits {
    /// The rows to train on.
    pub train: EncodedRows,
    /// The validation rows.
    pub validation: Option<EncodedRows>,
    /// The test rows.
    pub test: Option<EncodedRows>,
    /// The number of classes, or of target values.
    pub outputs: usize,
    /// The preprocessing that encoded them.
    pub source: PreprocessingSource,
}

/// A row as its file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRow {
    /// Its number in its split, from 0.
    pub number: usize,
    /// Its place in the file: `line 12`.
    pub place: String,
    /// Its columns with their cells.
    pub cells: Vec<(String, String)>,
    /// Its targets.
    pub targets: Vec<String>,
}

/// Encoded rows, by where they are kept.
#[derive(Debug, Clone)]
pub enum EncodedRows {
    /// In memory; values are in their own units.
    Memory(Rows),
    /// Windows of rows, in memory or in a file.
    Windows(Windows),
    /// In a file.
    File(Stored),
}

/// Windows of rows that follow each other.
#[derive(Debug, Clone)]
pub struct Windows {
    /// The rows.
    pub rows: WindowedRows,
    /// The rows of a window.
    pub steps: usize,
    /// The rows that windows start with; nothing: all that have a target.
    pub starts: Option<Vec<u32>>,
    /// The targets at the last row of each window, (N, K) of F64, where they are subtracted.
    pub last: Option<Tensor>,
    /// The errors of simple forecasts for them; nothing for the rows to train on.
    pub baselines: Option<SeriesBaselines>,
}

/// The rows of windows, by where they are kept.
#[derive(Debug, Clone)]
pub enum WindowedRows {
    /// In memory; the targets of a window are at its first row.
    Memory(Rows),
    /// In a file that knows the windows.
    File(Stored),
}

impl RawRows {
    /// Checks that rows have features and targets, and that validation and test rows have the shape of training rows.
    pub(super) fn check(&self) -> Result<(), String> {
        let row = |rows: &Rows| {
            (rows.xs.dims()[1..].to_vec(), rows.xs.dtype() == DType::U8, rows.ys.dims()[1..].to_vec())
        };
        let (shape, images, targets) = row(&self.train);
        if shape.contains(&0) || self.outputs == 0 {
            return Err(format!(
                "a row has the shape {shape:?} and {}; there is nothing to learn",
                counted(self.outputs, "target")
            ));
        }
        let kind = |images: bool| if images { "bytes" } else { "numbers" };
        for (name, rows) in [("validation", &self.validation), ("test", &self.test)] {
            let Some(other) = rows.as_ref().map(row) else { continue };
            if other != (shape.clone(), images, targets.clone()) {
                let (own, of) = (kind(images), kind(other.1));
                return Err(format!(
                    "a training row is {shape:?} of {own}, a {name} row {:?} of {of}",
                    other.0
                ));
            }
        }
        Ok(())
    }
}
