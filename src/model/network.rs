//! A chain of layers and its parameters.

use candle_core::{DType, Device, Tensor};

use super::Model;
use crate::data::preprocess::EmbeddingSize;
use crate::error::{Error, Result};
use crate::kernels::MatmulPrecision;
use crate::nn::{Embeddings, Layer, Mode, Op, Params, Shape, Tape};

/// A network with its parameters.
pub struct Network {
    layers: Vec<Box<dyn Layer>>,
    params: Params,
    couples_rows: bool,
}

/// The device and the numeric types of a network.
#[derive(Debug, Clone, Copy)]
pub struct NetworkOptions<'a> {
    /// The type of its numbers.
    pub dtype: DType,
    /// The device that it is on.
    pub device: &'a Device,
    /// The precision of its matrix products.
    pub precision: MatmulPrecision,
}

impl<'a> NetworkOptions<'a> {
    /// Numbers of this type on this device, in the default precision.
    pub fn new(dtype: DType, device: &'a Device) -> Self {
        Self { dtype, device, precision: MatmulPrecision::default() }
    }
}

/// The input and output sizes of a network.
#[derive(Debug, Clone, Copy)]
pub struct NetworkShape<'a> {
    /// A row: `[F]` or `[T, F]`.
    pub row: &'a [usize],
    /// The numbers of a row's step that the data has, where some of them are the numbers of names.
    pub features: usize,
    /// The learnt vectors of each of those, which are the last ones.
    pub embeddings: &'a [EmbeddingSize],
    /// The numbers that the network gives.
    pub outputs: usize,
}

/// Takes each layer and its value in a pass.
pub type OnLayer<'a> = dyn FnMut(&dyn Layer, &Tensor) -> Result<()> + 'a;

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
        options: NetworkOptions<'_>,
    ) -> Result<Self> {
        let shape = NetworkShape { row: row_shape, features: 0, embeddings: &[], outputs };
        Self::with_embeddings(model, shape, seed, options)
    }

    /// As [`Self::new`], for rows whose columns of names may have learnt vectors.
    ///
    /// # Errors
    /// A row that the layers do not read, or an option of the model that is not valid.
    pub fn with_embeddings(
        model: &Model,
        shape: NetworkShape<'_>,
        seed: u64,
        options: NetworkOptions<'_>,
    ) -> Result<Self> {
        model.check().map_err(|error| Error::Key(error.under("model")))?;
        let NetworkOptions { dtype, device, precision } = options;
        let NetworkShape { row, features, embeddings, outputs } = shape;
        let mut params = Params::new(seed, dtype, device).with_precision(precision);
        let mut input = Shape::new(row);
        let mut layers: Vec<Box<dyn Layer>> = Vec::new();
        if !embeddings.is_empty() {
            model.check_embeddings().map_err(|error| Error::Key(error.under("model")))?;
            let layer = Embeddings::new(&mut params, features, embeddings, model.init().embedding.as_ref())?;
            input = layer.output_shape(&input)?;
            layers.push(Box::new(layer));
        }
        model.check_size(input.width(), outputs).map_err(|error| Error::Key(error.under("model")))?;
        layers.extend(model.build(&input, outputs, &mut params)?);
        let network = Self { layers, params, couples_rows: model.couples_rows() };
        network.output_shape(&Shape::new(row))?.require_width("output", outputs)?;
        Ok(network)
    }

    /// The shape that the network makes of a row.
    ///
    /// # Errors
    /// A row that a layer does not read.
    pub fn output_shape(&self, row: &Shape) -> Result<Shape> {
        self.layers.iter().try_fold(row.clone(), |shape, layer| layer.output_shape(&shape))
    }

    /// The layers' operations, in order.
    pub fn describe(&self) -> Vec<Op> {
        self.layers.iter().map(|layer| layer.describe()).collect()
    }

    /// The network's tensors.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Whether the rows of a batch depend on each other in training, so that it cannot be split.
    pub fn couples_rows(&self) -> bool {
        self.couples_rows
    }

    /// The outputs (N, K) for xs (N, F) or (N, T, F), in evaluation mode.
    pub fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        self.forward_unless(xs, &|| false)
    }

    /// As [`Self::forward`], but fails with [`Error::Interrupted`] before the next layer once `is_stopping` returns
    /// true.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn forward_unless(&self, xs: &Tensor, is_stopping: &dyn Fn() -> bool) -> Result<Tensor> {
        self.layers.iter().try_fold(xs.clone(), |xs, layer| {
            if is_stopping() { Err(Error::Interrupted) } else { layer.forward(&xs, &mut Mode::Eval) }
        })
    }

    /// The outputs in training mode; the tape records how gradients pass back.
    pub fn train(&self, xs: &Tensor, tape: &mut Tape) -> Result<Tensor> {
        self.train_observed(xs, tape, &mut |_, _| Ok(()))
    }

    /// As [`Self::train`]; calls `on_layer` after each layer.
    pub fn train_observed(&self, xs: &Tensor, tape: &mut Tape, on_layer: &mut OnLayer<'_>) -> Result<Tensor> {
        self.layers.iter().try_fold(xs.clone(), |xs, layer| {
            tape.check_stop()?;
            let value = layer.forward(&xs, &mut Mode::Train(tape))?;
            on_layer(layer.as_ref(), &value)?;
            Ok(value)
        })
    }

    /// The outputs at the shards of a batch in training mode; each shard has a tape.
    pub fn train_shards(&self, shards: Vec<Tensor>, tapes: &mut [Tape]) -> Result<Vec<Tensor>> {
        self.layers.iter().try_fold(shards, |shards, layer| {
            tapes.iter().try_for_each(Tape::check_stop)?;
            layer.train_shards(&shards, tapes)
        })
    }

    /// The value of every layer in training mode, by the layer's name.
    pub fn trace(&self, xs: &Tensor, tape: &mut Tape) -> Result<Vec<(String, Tensor)>> {
        let mut values = Vec::with_capacity(self.layers.len());
        self.train_observed(xs, tape, &mut |layer, value| {
            values.push((layer.name(), value.clone()));
            Ok(())
        })?;
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{CellTensors, EmbeddingTable};
    use crate::registry::FromTable;

    /// The names and shapes that a state dict has by the description of its network alone.
    fn tensors(op: Op) -> Vec<(String, Vec<usize>)> {
        match op {
            Op::Linear { weight, bias, inputs, outputs, .. } => {
                vec![(weight, vec![outputs, inputs]), (bias, vec![outputs])]
            }
            Op::BatchNorm {
                weight, bias, running_mean, running_var, num_batches_tracked, channels, ..
            } => {
                let vectors = [weight, bias, running_mean, running_var].map(|name| (name, vec![channels]));
                vectors.into_iter().chain([(num_batches_tracked, Vec::new())]).collect()
            }
            Op::LayerNorm { weight, bias, width, .. } => vec![(weight, vec![width]), (bias, vec![width])],
            Op::Recurrent { kind, features, hidden, directions, .. } => {
                let rows = kind.gates() * hidden;
                let cell = |CellTensors { weight_ih, weight_hh, bias_ih, bias_hh }| {
                    let weights = [(weight_ih, vec![rows, features]), (weight_hh, vec![rows, hidden])];
                    weights.into_iter().chain([(bias_ih, vec![rows]), (bias_hh, vec![rows])])
                };
                directions.into_iter().flat_map(cell).collect()
            }
            Op::Embeddings { tables, .. } => tables
                .into_iter()
                .map(|EmbeddingTable { weight, names, length }| (weight, vec![names, length]))
                .collect(),
            Op::Activation(_) | Op::Dropout { .. } | Op::TimeMajor | Op::LastStep | Op::MeanOfSteps => {
                Vec::new()
            }
        }
    }

    /// A model of each kind of layer, by its config, and the rows that it reads.
    const MODELS: [(&str, &[usize]); 7] = [
        ("name = 'mlp'\nhidden = [7, 6]\ndropout = 0.1", &[5]),
        ("name = 'mlp'\nhidden = []\nlayer_names = 'fc'", &[5]),
        ("name = 'mlp'\nhidden = [7]\nbatch_norm = true", &[5]),
        ("name = 'mlp'\nhidden = [7]\nlayer_norm = true\nactivation = 'tanh'", &[5]),
        ("name = 'rnn'\nhidden_size = 4\nnum_layers = 2\nnonlinearity = 'relu'", &[3, 5]),
        ("name = 'lstm'\nhidden_size = 4\nnum_layers = 2\nbidirectional = true\ndropout = 0.2", &[3, 5]),
        ("name = 'gru'\nhidden_size = 4\nhead = 'mean'", &[3, 5]),
    ];

    fn build(config: &str, row: &[usize], embeddings: &[EmbeddingSize]) -> Network {
        let model = Model::from_table(config.parse().unwrap()).unwrap();
        let shape = NetworkShape { row, features: 5, embeddings, outputs: 2 };
        let options = NetworkOptions::new(DType::F64, &Device::Cpu);
        Network::with_embeddings(&model, shape, 1, options).unwrap()
    }

    #[test]
    fn the_description_of_every_model_names_its_whole_state_dict() {
        let described = |name: &&str| MODELS.iter().any(|(config, _)| config.contains(&format!("'{name}'")));
        assert!(Model::NAMES.iter().all(described), "a model is not described");
        for (config, row) in MODELS {
            for embeddings in [Vec::new(), vec![(9, 3).into(), (4, 2).into()]] {
                let network = build(config, row, &embeddings);
                let mut told: Vec<_> = network.describe().into_iter().flat_map(tensors).collect();
                let state = network.params().state().into_iter();
                let mut own: Vec<_> =
                    state.map(|(name, tensor)| (name.to_owned(), tensor.dims().to_vec())).collect();
                told.sort();
                own.sort();
                assert_eq!(told, own, "{config}");
            }
        }
    }

    #[test]
    fn the_shapes_between_the_layers_are_those_of_the_values() {
        for (config, row) in MODELS {
            let network = build(config, row, &[]);
            let xs = Tensor::zeros([&[2], row].concat(), DType::F64, &Device::Cpu).unwrap();
            let (mut value, mut shape) = (xs, Shape::new(row));
            for layer in &network.layers {
                value = layer.forward(&value, &mut Mode::Eval).unwrap();
                shape = layer.output_shape(&shape).unwrap();
                // Between recurrent layers values are time-major.
                let mut dims = value.dims().to_vec();
                let batch = dims.remove(dims.len() - 2);
                assert_eq!((dims.as_slice(), batch), (shape.dims(), 2), "{config}, {}", layer.name());
            }
        }
    }

    #[test]
    fn a_row_that_a_layer_does_not_read_is_an_error() {
        let network = build("name = 'mlp'\nhidden = [7]", &[5], &[]);
        let error = network.output_shape(&Shape::new(&[4])).unwrap_err().to_string();
        assert!(error.contains("`layer1` reads 5 features") && error.contains("[4]"), "{error}");
        let network = build("name = 'gru'\nhidden_size = 4", &[3, 5], &[]);
        assert!(network.output_shape(&Shape::new(&[5])).is_err());
    }
}
