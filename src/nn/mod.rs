//! Layers, their parameters and initialisation.
//!
//! A network is a chain of [`Layer`]s. In training each of them puts on a [`Tape`] how a gradient passes back through
//! it; [`Tape::backward`] walks the tape from its end. That replaces candle's own graph on purpose: its walk is
//! recursive, fills and adds a buffer for every edge and keeps the gradient of the data, which together costs more
//! than the products of a small net.

mod activate;
mod batch_norm;
mod dropout;
mod embeddings;
mod grads;
pub mod init;
mod layer_norm;
mod linear;
mod params;
mod recurrent;
mod tape;

use candle_core::Tensor;

use crate::error::Result;

pub use crate::kernels::Activation;
pub use crate::kernels::recurrent::Kind;
pub use activate::Activate;
pub use batch_norm::BatchNorm1d;
pub use dropout::Dropout;
pub use embeddings::Embeddings;
pub use grads::{Dense, Factors, GradBuffer, GradWriter, Gradients};
pub use init::{Init, InitScheme};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use params::{Buffer, Param, Params};
pub use recurrent::{LastStep, MeanOfSteps, Recurrent, TimeMajor};
pub use tape::{Mode, Tape};

/// A part of a network.
pub trait Layer: Send + Sync {
    /// What messages call it: the prefix of its parameters' names, where it has some.
    fn name(&self) -> String;

    /// The layer's value at `xs`. In [`Mode::Train`] exactly one entry goes on the tape.
    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor>;
}
