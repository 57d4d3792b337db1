//! Embeddings of category numbers, <https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html>.

use candle_core::{DType, Tensor};

use super::init::Normal;
use super::{EmbeddingTable, GradWriter, Init, Layer, Mode, Op, Param, Params, Shape};
use crate::data::preprocess::EmbeddingSize;
use crate::error::{Error, Result};
use crate::kernels::embedding::{self, GradColumns};

/// The standard deviation with which learnt vectors start. Measured in PyTorch on four tables of 60, 96 (flights of New York),
/// 200 and 400 names, three seeds each: with 0.1 R² or ROC-AUC is 0.727, 0.666, 0.875 and 0.629, with 1 it is 0.724, 0.644,
/// 0.868 and 0.614, with one-hot columns 0.723, 0.655, 0.876 and 0.620; 0.03 and 0.01 are as 0.1.
const START: f64 = 0.1;

/// Replaces the last K columns of (N, F) or (N, T, F), category numbers, by learnt vectors; of (N, T · F) those of every
/// step: `torch.cat([x[..., :-K], embedding1(x[..., -K].long()), …], -1)`. Category 0, a value that training did not
/// see, has the vector 0 and keeps it: torch's `padding_idx=0`.
#[derive(Debug, Clone)]
pub struct Embeddings {
    weights: Vec<Param>,
    dense: usize,
}

impl Embeddings {
    /// Tables `embedding1.weight`, … of these sizes for the last of a step's `features`. Where no initialiser is
    /// given they are N(0, 0.1²): torch's N(0, 1) in many dimensions drowns the numbers beside them, which are
    /// standardised.
    ///
    /// # Errors
    /// Fewer features than tables, or a type that cannot hold the numbers of the names.
    pub fn new(
        params: &mut Params,
        features: usize,
        sizes: &[EmbeddingSize],
        init: Option<&Init>,
    ) -> Result<Self> {
        let dense = features.checked_sub(sizes.len()).ok_or_else(|| {
            Error::Config(format!("{} columns of names do not fit {features} features", sizes.len()))
        })?;
        if matches!(params.dtype(), DType::BF16 | DType::F16) {
            let problem = "is bf16, which cannot hold the numbers of a column of many names; set it to `f32`";
            return Err(Error::key("train.dtype", problem));
        }
        let default = Init::Normal(Normal { mean: 0.0, std: START });
        let init = init.unwrap_or(&default);
        let mut weights = Vec::new();
        for (number, EmbeddingSize { names, length }) in (1..).zip(sizes.iter().copied()) {
            let weight = params.param(format!("embedding{number}.weight"), &[names, length], init)?;
            let unknown = Tensor::zeros((1, length), params.dtype(), params.device())?;
            weight.var().slice_set(&unknown, 0, 0)?;
            weights.push(weight);
        }
        Ok(Self { weights, dense })
    }

    /// The features of a step with its vectors in the numbers' place.
    fn width(&self) -> usize {
        self.dense + self.weights.iter().map(|weight| weight.value().dims()[1]).sum::<usize>()
    }

    /// The gradients of the tables from that of the value (N, width), where each row has these numbers.
    fn weight_gradients(&self, grad: &Tensor, numbers: &[Tensor], grads: &GradWriter<'_>) -> Result<()> {
        let mut start = self.dense;
        for (weight, chosen) in self.weights.iter().zip(numbers) {
            let length = weight.value().dims()[1];
            // Nothing is learnt of a name that is not known.
            embedding::gradient(GradColumns { grad, start, length }, chosen, grads.out(weight))?;
            start += length;
        }
        Ok(())
    }
}

impl Layer for Embeddings {
    fn name(&self) -> String {
        "embedding".to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        let (features, width) = (self.dense + self.weights.len(), input.width());
        // Windows of a series that an MLP reads have the steps one after the other.
        let steps = width / features;
        if steps * features != width || (steps != 1 && input.dims().len() > 1) {
            return Err(Error::key(
                "data.sequence",
                "cuts a row whose columns of many names have learnt vectors; make them \"onehot\" or \"ignore\" in \
                 `[data.columns]`",
            ));
        }
        Ok(input.with_width(steps * self.width()))
    }

    fn describe(&self) -> Vec<Op> {
        let table = |weight: &Param| {
            let dims = weight.value().dims();
            EmbeddingTable { weight: weight.name().to_owned(), names: dims[0], length: dims[1] }
        };
        vec![Op::Embeddings { dense: self.dense, tables: self.weights.iter().map(table).collect() }]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let features = self.dense + self.weights.len();
        let leading = &xs.dims()[..xs.rank() - 1];
        let flat = xs.reshape(((), features))?;
        let mut columns = vec![flat.narrow(1, 0, self.dense)?];
        let mut numbers = Vec::with_capacity(self.weights.len());
        for (place, weight) in self.weights.iter().enumerate() {
            let chosen = flat.narrow(1, self.dense + place, 1)?.flatten_all()?.to_dtype(DType::U32)?;
            columns.push(weight.value().index_select(&chosen, 0)?);
            numbers.push(chosen);
        }
        let ys = Tensor::cat(&columns, 1)?;
        let last = ys.elem_count() / leading.iter().product::<usize>().max(1);
        let ys = ys.reshape([leading, &[last]].concat())?;
        if let Mode::Train(tape) = mode {
            let (layer, shape) = (self.clone(), xs.dims().to_vec());
            tape.record(move |grad, grads, input| {
                let flat = grad.reshape(((), layer.width()))?;
                layer.weight_gradients(&flat, &numbers, grads)?;
                if !input.is_read() {
                    return Ok(None);
                }
                // A number has no gradient.
                let rest = Tensor::zeros((flat.dims()[0], numbers.len()), flat.dtype(), flat.device())?;
                let of_input = Tensor::cat(&[flat.narrow(1, 0, layer.dense)?, rest], 1)?;
                Ok(Some(of_input.reshape(shape)?))
            });
        }
        Ok(ys)
    }
}
