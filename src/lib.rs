//! A trainer for neural networks.
pub mod error;
pub mod kernels;
pub mod registry;
pub mod rng;
pub use error::{Error, Result};
