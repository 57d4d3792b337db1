//! A trainer for neural networks.
pub mod checkpoint;
pub mod config;
pub mod data;
pub mod error;
pub mod kernels;
pub mod loss;
pub mod metrics;
pub mod model;
pub mod nn;
pub mod optim;
pub mod registry;
pub mod rng;
pub mod trainer;
pub use error::{Error, Result};
