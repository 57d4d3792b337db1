//! Rows on their way from a source to the data sets of a run.

use candle_core::{DType, Tensor};

use super::pictures::Pictures;
use super::preprocess::PreprocessingSource;
use super::stored::Stored;

/// Inputs and their targets.
#[derive(Debug, Clone)]
pub struct Rows {
    /// (N, …): bytes for images, else f32 or f64.
    pub xs: Tensor,
    /// Classes (N) as I64, or values or probabilities (N, K) as f64.
    pub ys: Tensor,
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

/// Encoded rows, by where they are kept.
#[derive(Debug, Clone)]
pub enum EncodedRows {
    /// In memory.
    Memory(Rows),
    /// In memory; each row starts a window of this many rows.
    Windows(Rows, usize),
    /// In a file.
    File(Stored),
}

impl RawRows {
    /// Checks that rows have features and targets, and that test rows have the shape of training rows.
    pub(super) fn check(&self) -> Result<(), String> {
        let row = |rows: &Rows| {
            (rows.xs.dims()[1..].to_vec(), rows.xs.dtype() == DType::U8, rows.ys.dims()[1..].to_vec())
        };
        let (shape, images, targets) = row(&self.train);
        if shape.contains(&0) || self.outputs == 0 {
            return Err(format!(
                "a row has the shape {shape:?} and {} targets; there is nothing to learn",
                self.outputs
            ));
        }
        match self.test.as_ref().map(row) {
            Some(test) if test != (shape.clone(), images, targets) => {
                let kind = |images: bool| if images { "bytes" } else { "numbers" };
                let (own, other) = (kind(images), kind(test.1));
                Err(format!("a training row is {shape:?} of {own}, a test row {:?} of {other}", test.0))
            }
            _ => Ok(()),
        }
    }
}
