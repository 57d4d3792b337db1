//! Embeddings of category numbers, <https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html>.

use candle_core::{DType, Tensor};

use super::{EmbeddingTable, Init, Layer, Mode, Op, Param, Params, Shape};
use crate::error::{Error, Result};
use crate::kernels::autograd;

/// Replaces the last K columns of (N, F) or (N, T, F), category numbers, by learnt vectors; of (N, T · F) those of every
/// step: `torch.cat([x[..., :-K], embedding1(x[..., -K].long()), …], -1)`. Category 0, a value that training did not
/// see, has the vector 0 and keeps it: torch's `padding_idx=0`.
#[derive(Debug, Clone)]
pub struct Embeddings {
    weights: Vec<Param>,
    dense: usize,
}

impl Embeddings {
    /// Tables `embedding1.weight`, … of (names, length) for the last of a step's `features`, N(0, 1) as in torch.
    ///
    /// # Errors
    /// Fewer features than tables, or a type that cannot hold the numbers of the names.
    pub fn new(params: &mut Params, features: usize, sizes: &[(usize, usize)]) -> Result<Self> {
        let dense = features.checked_sub(sizes.len()).ok_or_else(|| {
            Error::Config(format!("{} columns of names do not fit {features} features", sizes.len()))
        })?;
        if matches!(params.dtype(), DType::BF16 | DType::F16) {
            let problem = "is bf16, which cannot hold the numbers of a column of many names; set it to `f32`";
            return Err(Error::key("train.dtype", problem));
        }
        let init = Init::named("normal").map_err(|e| Error::Key(e.under("model.init")))?;
        let mut weights = Vec::new();
        for (number, (names, length)) in (1..).zip(sizes) {
            let weight = params.param(format!("embedding{number}.weight"), &[*names, *length], &init)?;
            let unknown = Tensor::zeros((1, *length), params.dtype(), params.device())?;
            weight.var().slice_set(&unknown, 0, 0)?;
            weights.push(weight);
        }
        Ok(Self { weights, dense })
    }
}

impl Layer for Embeddings {
    fn name(&self) -> String {
        "embedding".to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        let (features, width) = (self.dense + self.weights.len(), input.width());
        // Windows of a series that an MLP reads have the steps one behind the other.
        let steps = width / features;
        if steps * features != width || (steps != 1 && input.dims().len() > 1) {
            return Err(Error::key(
                "data.sequence",
                "cuts a row whose columns of many names have learnt vectors; make them \"category\" or \"ignore\" in \
                 `[data.columns]`",
            ));
        }
        let learnt: usize = self.weights.iter().map(|weight| weight.value().dims()[1]).sum();
        Ok(input.with_width(steps * (self.dense + learnt)))
    }

    fn describe(&self) -> Op {
        let table = |weight: &Param| {
            let dims = weight.value().dims();
            EmbeddingTable { weight: weight.name().to_owned(), names: dims[0], length: dims[1] }
        };
        Op::Embeddings { dense: self.dense, tables: self.weights.iter().map(table).collect() }
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
            tape.record(move |grad, grads, want_input| {
                let width = layer.dense + layer.weights.iter().map(|w| w.value().dims()[1]).sum::<usize>();
                let flat = grad.reshape(((), width))?;
                let mut start = layer.dense;
                for (weight, chosen) in layer.weights.iter().zip(&numbers) {
                    let length = weight.value().dims()[1];
                    let own = flat.narrow(1, start, length)?.contiguous()?;
                    // Nothing is learnt of a name that is not known.
                    let known = chosen.ne(0u32)?.to_dtype(own.dtype())?.unsqueeze(1)?;
                    let sum =
                        weight.value().zeros_like()?.index_add(chosen, &own.broadcast_mul(&known)?, 0)?;
                    autograd::store(grads.out(weight), &sum)?;
                    start += length;
                }
                if !want_input {
                    return Ok(None);
                }
                // A number has no gradient.
                let rest = Tensor::zeros((flat.dims()[0], numbers.len()), flat.dtype(), flat.device())?;
                let input = Tensor::cat(&[flat.narrow(1, 0, layer.dense)?, rest], 1)?;
                Ok(Some(input.reshape(shape)?))
            });
        }
        Ok(ys)
    }
}
