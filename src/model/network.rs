//! A chain of layers and its parameters.

use candle_core::{DType, Device, Tensor};

use super::Model;
use crate::data::Input;
use crate::error::{Error, Result};
use crate::kernels::MatmulPrecision;
use crate::nn::{Embeddings, Layer, Mode, Params, Tape};

/// A network that is ready to be trained or asked.
pub struct Network {
    layers: Vec<Box<dyn Layer>>,
    params: Params,
    couples_rows: bool,
}

/// Where and in which types a network runs.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The type of its numbers.
    pub dtype: DType,
    /// The device that it is on.
    pub device: &'a Device,
    /// The precision of its products.
    pub precision: MatmulPrecision,
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
        place: (DType, &Device),
    ) -> Result<Self> {
        let place = Place { dtype: place.0, device: place.1, precision: MatmulPrecision::default() };
        Self::with_embeddings(model, (row_shape, 0, &[]), outputs, seed, place)
    }

    /// As [`Self::new`], for rows, or steps, of `features` numbers of which the last are the numbers of names: for each
    /// of them how many there are, and the length of the vectors that are learnt for them.
    pub fn with_embeddings(
        model: &Model,
        (row_shape, features, sizes): (&[usize], usize, &[(usize, usize)]),
        outputs: usize,
        seed: u64,
        Place { dtype, device, precision }: Place<'_>,
    ) -> Result<Self> {
        let mut params = Params::new(seed, dtype, device).with_precision(precision);
        let mut width = row_shape.last().copied().unwrap_or_default();
        let mut layers: Vec<Box<dyn Layer>> = Vec::new();
        if !sizes.is_empty() {
            // A row that is cut in other steps has these numbers anywhere.
            let steps = width.checked_div(features).filter(|steps| steps * features == width);
            let steps = steps.filter(|steps| *steps == 1 || model.input() == Input::Features);
            let (Some(steps), Some(dense)) = (steps, features.checked_sub(sizes.len())) else {
                return Err(no_room());
            };
            layers.push(Box::new(Embeddings::new(&mut params, dense, sizes)?));
            width = steps * (dense + sizes.iter().map(|(_, length)| length).sum::<usize>());
        }
        layers.extend(model.build(width, outputs, &mut params)?);
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

fn no_room() -> Error {
    Error::key(
        "data.sequence",
        "cuts a row whose columns of many names have learnt vectors; make them \"category\" or \"ignore\" in \
         `[data.columns]`",
    )
}
