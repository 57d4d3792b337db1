//! Layers, their parameters and initialisation.
//!
//! A network is a chain of [`Layer`]s. In training each layer records on a [`Tape`] how a gradient passes back through
//! it; [`Tape::backward`] walks the tape from its end. This replaces candle's autograd on purpose: that one recurses,
//! allocates and adds a buffer for every edge, and computes the gradient of the inputs, which together costs more than
//! the matrix products of a small network.

mod activate;
mod batch_norm;
mod dropout;
mod embeddings;
mod ensemble;
mod grads;
pub mod init;
mod layer_norm;
mod linear;
pub mod numerical;
mod op;
mod parametric_activation;
mod params;
mod recurrent;
mod scale;
mod shape;
mod tape;

use candle_core::Tensor;

use crate::error::Result;

pub use crate::kernels::Activation;
pub use crate::kernels::recurrent::CellKind;
pub use activate::Activate;
pub use batch_norm::BatchNorm1d;
pub use dropout::Dropout;
pub use embeddings::Embeddings;
pub use ensemble::{EnsembleLinear, EnsembleScale, ScalingInit};
pub use grads::{Dense, Factors, GradBuffer, GradWriter, Gradients};
pub use init::{Init, InitScheme, LayerInit, Parametrization};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use numerical::{Numerical, NumericalEmbeddings, NumericalOptions};
pub use op::{CellTensors, EmbeddingTable, NumericalOp, Op};
pub use parametric_activation::ParametricActivation;
pub use params::{Buffer, MOST_NUMBERS, Param, Params};
pub use recurrent::{LastStep, MeanOfSteps, Recurrent, RecurrentOptions, TimeMajor};
pub use scale::FrontScale;
pub use shape::Shape;
pub use tape::{InputGrad, Mode, Tape};

/// A layer of a network.
pub trait Layer: Send + Sync {
    /// The layer's name in messages: the prefix of its parameters' names, where it has some.
    fn name(&self) -> String;

    /// The shape of a row that this layer makes of one of `input`.
    ///
    /// # Errors
    /// A shape that it does not read.
    fn output_shape(&self, input: &Shape) -> Result<Shape>;

    /// A description of the layer, for exporters: its operations in their order. A normalisation with an activation is two.
    fn describe(&self) -> Vec<Op>;

    /// Fits what the layer does not learn to its inputs for training rows, (N, …), which count as often as their weights say.
    fn fit(&self, _rows: &Tensor, _weights: Option<&[f64]>) -> Result<()> {
        Ok(())
    }

    /// The layer's value at `xs`. In [`Mode::Train`] exactly one entry goes on the tape.
    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor>;

    /// The layer's values in training for the shards of a batch, each with its tape. A layer whose rows depend on each
    /// other sees all of them here.
    fn train_shards(&self, shards: &[Tensor], tapes: &mut [Tape]) -> Result<Vec<Tensor>> {
        shards.iter().zip(tapes).map(|(xs, tape)| self.forward(xs, &mut Mode::Train(tape))).collect()
    }
}
