//! Trains neural networks on tables, series, pictures and arrays: a TOML config goes in, weights that PyTorch loads come
//! out.
//!
//! The program `descent` and this library do the same; the program is [`cli`]. A [`run::Run`] trains what a
//! [`config::Config`] describes into a folder, and a [`run::Predictor`] predicts with what is in it:
//!
//! ```
//! use descent::config::Config;
//! use descent::run::{Predictor, Quiet, Run, RunOptions, Table};
//!
//! # fn main() -> descent::Result<()> {
//! # let temporary = tempfile::tempdir().expect("a temporary folder");
//! # let folder = temporary.path().join("iris");
//! let mut config = Config::read("configs/iris.toml", &["optimizer.lr=0.01"])?;
//! config.run.epochs = 50;
//! let options = RunOptions { folder: Some(folder.clone()), ..RunOptions::default() };
//! let finished = Run::create(config, options)?.train(&mut Quiet)?;
//! for (metric, value) in &finished.test {
//!     println!("{metric} {value:.4}"); // test_loss, test_accuracy, …
//! }
//!
//! let model = Predictor::open(&folder)?;
//! let measures = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"];
//! let mut flowers = Table::new(measures);
//! flowers.push(&[5.1.into(), 3.5.into(), 1.4.into(), 0.2.into()])?;
//! let predictions = model.predict(&flowers)?;
//! assert_eq!(predictions.prediction(0).text(), Some("setosa"));
//! # Ok(())
//! # }
//! ```
//!
//! An [`run::Observer`] sees the updates and epochs of a run, an [`run::Interrupt`] stops it from another thread, and
//! [`run::Run::resume`] continues it.
//!
//! # How a run trains
//!
//! 1. [`config`] reads the TOML file into the options of the components.
//! 2. A [`data::Source`] reads rows, and [`data::Preparation`] splits and normalises them into [`data::Splits`].
//! 3. [`model::Network`] builds the layers of [`nn`] and initialises their [`nn::Params`] from the seed.
//! 4. [`trainer::Trainer`] makes the updates: it runs a batch forward through the network onto a [`nn::Tape`], takes the
//!    gradient of the [`loss`] back along the tape, and steps the [`optim::Optimizer`].
//! 5. Layers, losses and optimizers compute in [`kernels`].
//! 6. [`run`] evaluates the epochs, logs them, and keeps the best weights; [`checkpoint`] writes state dicts as
//!    safetensors.
//!
//! To train without config and folder, use [`trainer::Trainer`] itself; its module has an example.
//!
//! Imports go one way, from `error`, `rng`, `registry` and `kernels` at the bottom to `cli` at the top; a test checks it.

pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod data;
pub mod distributed;
pub mod error;
pub mod export;
pub mod files;
pub mod kernels;
pub mod loss;
pub mod metrics;
pub mod model;
mod names;
pub mod nn;
mod numbers;
pub mod optim;
pub(crate) mod protobuf;
pub mod refusal;
pub mod registry;
pub(crate) mod report;
pub mod rng;
pub mod run;
pub(crate) mod stats;
pub mod suggest;
pub mod trainer;

/// The tensors, devices and types of numbers in this crate's signatures.
pub use candle_core as candle;
pub use error::{Error, Result};
