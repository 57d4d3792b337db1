//! The layer that embeds some columns of its input.

use std::sync::Arc;

use candle_core::Tensor;

use super::{Embedded, Embedding, Numerical};
use crate::error::Result;
use crate::nn::{InputGrad, Layer, Mode, Op, Params, Shape};

/// Replaces some columns of (N, W) by their embeddings, which are in front of the other columns:
/// `torch.cat([embedding(x[:, places]).flatten(1), x[:, others]], 1)`.
#[derive(Debug, Clone)]
pub struct NumericalEmbeddings {
    embedding: Arc<dyn Embedding>,
    /// The columns that are embedded, in order.
    places: Vec<u32>,
    others: Vec<u32>,
}

impl NumericalEmbeddings {
    /// A layer with parameters `numerical.…` for these columns of `width`, which are the data's own: training takes no
    /// gradient back to a layer that has computed them.
    pub fn new(params: &mut Params, options: &Numerical, places: &[usize], width: usize) -> Result<Self> {
        let embedding = Arc::from(options.build(params, places.len())?);
        let index = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        let others = (0..width).filter(|place| places.binary_search(place).is_err());
        Ok(Self {
            embedding,
            places: places.iter().map(|place| index(*place)).collect(),
            others: others.map(index).collect(),
        })
    }

    /// The numbers of each column behind this layer, where those before it had so many of its input.
    pub fn columns(&self, before: &[usize]) -> Vec<usize> {
        let (own, features) = (self.embedding.columns(), self.places.len());
        let embedded = own.iter().flat_map(|width| std::iter::repeat_n(*width, features));
        let mut start = 0;
        let others = before.iter().filter(|width| {
            start += **width;
            self.places.binary_search(&u32::try_from(start - **width).unwrap_or(u32::MAX)).is_err()
        });
        embedded.chain(others.copied()).collect()
    }

    /// The numbers of a row.
    fn width(&self) -> usize {
        self.places.len() + self.others.len()
    }

    /// The gradient of the input from those of its embedded columns and of this layer's value.
    fn input_gradient(&self, embedded: &Tensor, grad: &Tensor) -> Result<Tensor> {
        let others = grad.narrow(1, self.embedded_width(), self.others.len())?;
        let all = Tensor::cat(&[embedded, &others.contiguous()?], 1)?;
        // The columns back in their order.
        let mut order = vec![0; self.width()];
        for (from, place) in (0u32..).zip(self.places.iter().chain(&self.others)) {
            order[*place as usize] = from;
        }
        Ok(all.index_select(&Tensor::new(order, all.device())?, 1)?)
    }

    /// The numbers of a row's embeddings.
    fn embedded_width(&self) -> usize {
        self.places.len() * self.embedding.width()
    }
}

/// These columns of (N, W).
fn columns(xs: &Tensor, places: &[u32]) -> Result<Tensor> {
    let follow = places.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    match places.first() {
        Some(first) if follow => Ok(xs.narrow(1, *first as usize, places.len())?.contiguous()?),
        _ => Ok(xs.index_select(&Tensor::new(places, xs.device())?, 1)?),
    }
}

impl Layer for NumericalEmbeddings {
    fn name(&self) -> String {
        "numerical".to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        let shape = input.require_width(&self.name(), self.width())?;
        Ok(shape.with_width(self.embedded_width() + self.others.len()))
    }

    fn fit(&self, rows: &Tensor, weights: Option<&[f64]>) -> Result<()> {
        self.embedding.fit(&columns(rows, &self.places)?, weights)
    }

    fn describe(&self) -> Vec<Op> {
        let index = |places: &[u32]| places.iter().map(|place| *place as usize).collect();
        vec![Op::Numerical {
            places: index(&self.places),
            others: index(&self.others),
            embedding: self.embedding.describe(),
        }]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let Embedded { ys, back } = self.embedding.embed(&columns(xs, &self.places)?)?;
        let ys = if self.others.is_empty() { ys } else { Tensor::cat(&[ys, columns(xs, &self.others)?], 1)? };
        if let Mode::Train(tape) = mode {
            let layer = self.clone();
            tape.record(move |grad, grads, input| {
                let own = grad.narrow(1, 0, layer.embedded_width())?.contiguous()?;
                let embedded = match (back(&own, grads, input == InputGrad::Whole)?, input) {
                    (_, InputGrad::Unread) | (None, InputGrad::Whole) => return Ok(None),
                    (Some(embedded), _) => embedded,
                    (None, InputGrad::OfLayers) => {
                        Tensor::zeros((own.dim(0)?, layer.places.len()), own.dtype(), own.device())?
                    }
                };
                layer.input_gradient(&embedded, grad).map(Some)
            });
        }
        Ok(ys)
    }
}
