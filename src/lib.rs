//! A trainer for neural networks: a TOML file goes in, a trained model comes out.
//!
//! The data flow of `descent train`:
//!
//! 1. [`config`] reads the TOML file into the options of the components.
//! 2. A [`data::Source`] gives rows, [`data::Preparation`] makes [`data::Splits`] of them.
//! 3. [`model::Network`] builds the layers of [`nn`] and draws their [`nn::Params`] by the seed.
//! 4. [`trainer::Trainer`] runs batch after batch through the network onto a [`nn::Tape`], takes the gradient of the
//!    [`loss`] back along it, and steps the [`optim::Optimizer`].
//! 5. Layers, losses and optimizers do their arithmetic in [`kernels`].
//! 6. [`checkpoint`] writes the state dict as safetensors, which PyTorch loads.
//!
//! Imports go one way, from `error`, `rng`, `registry` and `kernels` at the bottom to `cli` at the top; a test holds
//! them to it.

pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod data;
pub mod distributed;
pub mod error;
pub mod files;
pub mod kernels;
pub mod loss;
pub mod metrics;
pub mod model;
pub mod nn;
pub mod optim;
pub mod registry;
pub(crate) mod report;
pub mod rng;
pub(crate) mod stats;
pub mod trainer;

pub use error::{Error, Result};
