//! Learnt vectors in the place of names, <https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html>.

use candle_core::{DType, Tensor};

use super::{Init, Layer, Mode, Param, Params};
use crate::error::{Error, Result};
use crate::kernels::autograd;

/// Reads the last columns of (N, F) or (N, T, F) as the numbers of names, and puts each one's vector in its place; of
/// (N, T · F) those of every step. As
/// `torch.cat([x[..., :-K], embedding1(x[..., -K].long()), …], -1)`. The vector of number 0, a name that is not known,
/// is 0 and stays so: torch's `padding_idx=0`.
#[derive(Debug, Clone)]
pub struct Embeddings {
    weights: Vec<Param>,
    dense: usize,
}

impl Embeddings {
    /// Tables `embedding1.weight`, … of (names, length) behind `dense` columns, N(0, 1) as in torch.
    pub fn new(params: &mut Params, dense: usize, sizes: &[(usize, usize)]) -> Result<Self> {
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
