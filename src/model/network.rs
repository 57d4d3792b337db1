//! A chain of layers and its parameters.

mod fitting;
#[cfg(test)]
mod tests;

use candle_core::{DType, Device, Tensor};

use super::Model;
use crate::data::preprocess::EmbeddingSize;
use crate::error::{Error, Result};
use crate::kernels::MatmulPrecision;
use crate::nn::{Embeddings, Layer, Mode, NumericalEmbeddings, Op, Params, Shape, Tape};

/// A network with its parameters.
pub struct Network {
    layers: Vec<Box<dyn Layer>>,
    params: Params,
    couples_rows: bool,
    /// The networks that it averages, in place of layers.
    members: Vec<Self>,
    average: fn(&[Tensor]) -> Result<Tensor>,
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
    /// The places of the numerical features among a step's other numbers; `None`: all.
    pub numerical: Option<&'a [usize]>,
    /// The number of a step's other numbers that each column has, in order; `None`: one.
    pub columns: Option<&'a [usize]>,
    /// The numbers that the network gives.
    pub outputs: usize,
}

impl NetworkShape<'_> {
    /// The numerical features among the numbers of a row, `width` with its learnt vectors.
    fn numerical_places(&self, width: usize) -> Vec<usize> {
        if self.numerical.is_none() && self.embeddings.is_empty() {
            return (0..width).collect();
        }
        let dense = self.features - self.embeddings.len();
        let all: Vec<usize> = (0..dense).collect();
        let own = self.numerical.unwrap_or(&all);
        let step = dense + self.embeddings.iter().map(|size| size.length).sum::<usize>();
        (0..width / step.max(1))
            .flat_map(|number| own.iter().map(move |place| number * step + place))
            .collect()
    }
}

impl NetworkShape<'_> {
    /// The count of numbers of each column of a row, which is `width` with its learnt vectors.
    fn column_widths(&self, width: usize) -> Vec<usize> {
        let Some(own) = self.columns else { return vec![1; width] };
        let vectors = self.embeddings.iter().map(|size| size.length);
        let step: Vec<usize> = own.iter().copied().chain(vectors).collect();
        let steps = width / step.iter().sum::<usize>().max(1);
        step.repeat(steps)
    }
}

/// Takes each layer and its value in a pass.
pub type OnLayer<'a> = dyn FnMut(&dyn Layer, &Tensor) -> Result<()> + 'a;

/// The outputs of a network that averages nothing.
fn first(outputs: &[Tensor]) -> Result<Tensor> {
    outputs.first().cloned().ok_or_else(|| Error::Weights("there is no network to average".to_owned()))
}

/// The prefix of a member's tensors in the average.
fn member_prefix(number: usize) -> String {
    format!("member{}.", number + 1)
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
        options: NetworkOptions<'_>,
    ) -> Result<Self> {
        let (numerical, columns) = (None, None);
        let shape =
            NetworkShape { row: row_shape, features: 0, embeddings: &[], numerical, columns, outputs };
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
        let NetworkShape { row, features, embeddings, outputs, .. } = shape;
        let mut params = Params::new(seed, dtype, device).with_precision(precision);
        let mut input = Shape::new(row);
        let mut layers: Vec<Box<dyn Layer>> = Vec::new();
        if !embeddings.is_empty() {
            model.check_embeddings().map_err(|error| Error::Key(error.under("model")))?;
            let layer = Embeddings::new(&mut params, features, embeddings, model.init().embedding.as_ref())?;
            input = layer.output_shape(&input)?;
            layers.push(Box::new(layer));
        }
        let mut columns = shape.column_widths(input.width());
        if let Some(options) = model.numerical() {
            let places = shape.numerical_places(input.width());
            if !places.is_empty() {
                let layer = NumericalEmbeddings::new(&mut params, options, &places, input.width())?;
                input = layer.output_shape(&input)?;
                columns = layer.columns(&columns);
                layers.push(Box::new(layer));
            }
        }
        model.check_size(input.width(), outputs).map_err(|error| Error::Key(error.under("model")))?;
        layers.extend(model.build_columns(&input, &columns, outputs, &mut params)?);
        let couples_rows = model.couples_rows();
        let network = Self { layers, params, couples_rows, members: Vec::new(), average: first };
        network.output_shape(&Shape::new(row))?.require_width("output", outputs)?;
        Ok(network)
    }

    /// The average of several networks of one shape, whose tensors are called `member1.…`, `member2.…`. `average` makes the
    /// outputs (N, K) of theirs. It is evaluated and not trained.
    pub fn averaged(members: Vec<Self>, average: fn(&[Tensor]) -> Result<Tensor>) -> Result<Self> {
        let params = members.iter().map(Self::params).collect::<Vec<_>>();
        let params = Params::joined(&params, member_prefix)?;
        Ok(Self { layers: Vec::new(), params, couples_rows: false, members, average })
    }

    /// Whether it is the average of several networks.
    pub fn is_averaged(&self) -> bool {
        !self.members.is_empty()
    }

    /// The shape that the network makes of a row.
    ///
    /// # Errors
    /// A row that a layer does not read.
    pub fn output_shape(&self, row: &Shape) -> Result<Shape> {
        if let Some(member) = self.members.first() {
            return member.output_shape(row);
        }
        self.layers.iter().try_fold(row.clone(), |shape, layer| layer.output_shape(&shape))
    }

    /// The layers' operations, in order; of an average those of its first member, whose layers all of them have.
    pub fn describe(&self) -> Vec<Op> {
        if let Some(member) = self.members.first() {
            return member.describe();
        }
        self.layers.iter().flat_map(|layer| layer.describe()).collect()
    }

    /// The operations of each network that it averages, or of itself. Tensors have the names of its own state dict.
    pub fn describe_members(&self) -> Vec<Vec<Op>> {
        if !self.is_averaged() {
            return vec![self.describe()];
        }
        let of_member = |(number, member): (usize, &Self)| {
            let ops = member.describe().into_iter();
            ops.map(|op| op.with_prefix(&member_prefix(number))).collect()
        };
        self.members.iter().enumerate().map(of_member).collect()
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
        if self.is_averaged() {
            let outputs = self.members.iter().map(|member| member.forward_unless(xs, is_stopping));
            return (self.average)(&outputs.collect::<Result<Vec<_>>>()?);
        }
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
