//! A chain of layers and its parameters.

use candle_core::{DType, Device, Tensor};

use super::Model;
use crate::error::Result;
use crate::nn::{Layer, Mode, Params, Tape};

/// A network that is ready to be trained or asked.
pub struct Network {
    layers: Vec<Box<dyn Layer>>,
    params: Params,
    couples_rows: bool,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network")
            .field("layers", &self.layers.len())
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

impl Network {
    /// Builds `model` for rows of `row_shape`, `[F]` or `[T, F]`, and draws its parameters by the seed.
    pub fn new(
        model: &Model,
        row_shape: &[usize],
        outputs: usize,
        seed: u64,
        (dtype, device): (DType, &Device),
    ) -> Result<Self> {
        let mut params = Params::new(seed, dtype, device);
        let features = row_shape.last().copied().unwrap_or_default();
        let layers = model.build(features, outputs, &mut params)?;
        Ok(Self { layers, params, couples_rows: model.couples_rows() })
    }

    /// The network's tensors.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Whether a batch must be taken whole.
    pub fn couples_rows(&self) -> bool {
        self.couples_rows
    }

    /// The predictions (N, outputs) for xs (N, F) or (N, T, F), in evaluation mode.
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        self.run(xs, &mut Mode::Eval)
    }

    /// The predictions in training mode, with the way back on the tape.
    pub fn train(&self, xs: &Tensor, tape: &mut Tape) -> Result<Tensor> {
        self.run(xs, &mut Mode::Train(tape))
    }

    /// The value of every layer in training mode, by the layer's name.
    pub fn trace(&self, xs: &Tensor, tape: &mut Tape) -> Result<Vec<(String, Tensor)>> {
        let mut values: Vec<(String, Tensor)> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let xs = values.last().map_or(xs, |(_, value)| value);
            let value = layer.forward(xs, &mut Mode::Train(tape))?;
            values.push((layer.name(), value));
        }
        Ok(values)
    }

    fn run(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        self.layers.iter().try_fold(xs.clone(), |xs, layer| layer.forward(&xs, mode))
    }
}
