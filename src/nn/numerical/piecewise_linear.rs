//! Piecewise-linear embeddings: `PiecewiseLinearEmbeddings` of `rtdl_num_embeddings`.

use candle_core::{DType, Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Embedded, Embedding, NumericalOptions, check_count};
use crate::error::Result;
use crate::kernels::Activation;
use crate::kernels::activation;
use crate::kernels::numerical::binned_linear;
use crate::kernels::numerical::grouped_linear;
use crate::kernels::numerical::piecewise_linear::{self, Bins};
use crate::nn::init::Zeros;
use crate::nn::{Buffer, GradWriter, Init, NumericalOp, Param, Params};
use crate::registry::KeyError;
use crate::stats::{Weighted, quantile, real};

/// A number as the part of each bin of the training rows that lies below it, and a linear layer of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PiecewiseLinear {
    /// The bins of a feature, between quantiles of its training rows; fewer where quantiles are equal.
    #[schemars(range(min = 1))]
    pub n_bins: usize,
    /// The numbers that a feature becomes.
    #[schemars(range(min = 1))]
    pub d_embedding: usize,
    /// Whether ReLU follows the linear layer of the bins.
    pub activation: bool,
    /// "B": a linear embedding of the number, to which that of its bins is added, from 0; "A": that of its bins alone.
    pub version: Version,
}

/// rtdl's versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Version {
    /// Gorishniy et al. 2022.
    A,
    /// Gorishniy et al. 2024, `TabM`'s.
    B,
}

impl Default for PiecewiseLinear {
    fn default() -> Self {
        Self { n_bins: 48, d_embedding: 16, activation: false, version: Version::B }
    }
}

impl NumericalOptions for PiecewiseLinear {
    fn check(&self) -> Result<(), KeyError> {
        check_count("n_bins", self.n_bins)?;
        check_count("d_embedding", self.d_embedding)
    }

    fn warning(&self) -> Option<KeyError> {
        let problem = "is true with version \"B\", whose weights start at 0, where ReLU passes no gradient: the bins will \
                       never be learnt; take version = \"A\", or activation = false";
        (self.activation && self.version == Version::B).then(|| KeyError::new("activation", problem))
    }

    fn width(&self) -> usize {
        self.d_embedding
    }

    fn build(&self, params: &mut Params, features: usize) -> Result<Box<dyn Embedding>> {
        let (bins, width) = (self.n_bins, self.d_embedding);
        let within = |count: usize| Init::within(1.0 / real(count).sqrt());
        let empty = Tensor::zeros((features, bins), DType::F64, &Device::Cpu)?;
        let table = [features, bins, width];
        let vectors = [features, width];
        let (mut linear0, mut bias) = (None, None);
        if self.version == Version::B {
            let init = within(width);
            linear0 = Some([
                params.param("numerical.linear0.weight", &vectors, &init)?,
                params.param("numerical.linear0.bias", &vectors, &init)?,
            ]);
        }
        let start = if self.version == Version::B { Init::Zeros(Zeros {}) } else { within(bins) };
        let weight = params.param("numerical.linear.weight", &table, &start)?;
        if self.version == Version::A {
            bias = Some(params.param("numerical.linear.bias", &vectors, &within(bins))?);
        }
        Ok(Box::new(PiecewiseLinearEmbedding {
            slopes: params.buffer("numerical.impl.weight", &empty)?,
            offsets: params.buffer("numerical.impl.bias", &empty)?,
            linear0,
            weight,
            bias,
            has_relu: self.activation,
        }))
    }
}

/// Piecewise-linear embeddings with their bins and parameters.
#[derive(Debug, Clone)]
struct PiecewiseLinearEmbedding {
    /// (F, B): one over the widths of the bins.
    slopes: Buffer,
    /// (F, B)
    offsets: Buffer,
    /// (F, D) both.
    linear0: Option<[Param; 2]>,
    /// (F, B, D)
    weight: Param,
    /// (F, D)
    bias: Option<Param>,
    has_relu: bool,
}

impl PiecewiseLinearEmbedding {
    /// The sizes F, B and D.
    fn sizes(&self) -> [usize; 3] {
        let dims = self.weight.value().dims();
        [dims[0], dims[1], dims[2]]
    }

    fn bins(&self) -> Bins {
        Bins {
            slopes: self.slopes.var().as_detached_tensor(),
            offsets: self.offsets.var().as_detached_tensor(),
        }
    }

    /// The gradient of xs (N, F) from those of the bins' products and of the embeddings, (N, F · D) both.
    fn input_gradient(&self, xs: &Tensor, of_products: &Tensor, grad: &Tensor) -> Result<Tensor> {
        let of_bins = grouped_linear::backward_of_inputs(self.weight.value(), of_products)?;
        let of_bins = self.bins().backward(xs, &of_bins)?;
        let Some([weight, _]) = &self.linear0 else { return Ok(of_bins) };
        let [features, _, width] = self.sizes();
        let of_one = weight.value().reshape((features, 1, width))?;
        let of_number = grouped_linear::backward_of_inputs(&of_one, grad)?;
        Ok((of_bins + of_number.reshape(xs.shape())?)?)
    }
}

impl Embedding for PiecewiseLinearEmbedding {
    fn width(&self) -> usize {
        self.sizes()[2]
    }

    fn fit(&self, xs: &Tensor, weights: Option<&[f64]>) -> Result<()> {
        let [_, bins, _] = self.sizes();
        let columns = xs.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.t()?.to_vec2::<f64>()?;
        let edges: Vec<Vec<f64>> = columns.into_iter().map(|column| edges(column, weights, bins)).collect();
        let fitted = piecewise_linear::fit(&edges, bins)?;
        for (buffer, numbers) in [&self.slopes, &self.offsets].into_iter().zip(fitted) {
            let var = buffer.var();
            var.set(&numbers.to_dtype(var.dtype())?.to_device(var.device())?)?;
        }
        Ok(())
    }

    fn embed(&self, xs: &Tensor) -> Result<Embedded> {
        let [features, _, width] = self.sizes();
        let bins = self.bins();
        let binned =
            binned_linear::forward(&bins, xs, self.weight.value(), self.bias.as_ref().map(Param::value))?;
        let products = &binned.ys;
        let own =
            if self.has_relu { activation::forward(Activation::Relu, products)? } else { products.clone() };
        let mut ys = own.clone();
        // The number itself, as a feature of one component.
        let number = xs.reshape(((), features, 1))?;
        if let Some([weight, bias]) = &self.linear0 {
            let weight = weight.value().reshape((features, 1, width))?;
            ys = (ys + grouped_linear::forward(&number, &weight, Some(bias.value()))?)?;
        }
        let (layer, xs) = (self.clone(), xs.clone());
        let back = move |grad: &Tensor, grads: &GradWriter<'_>, want_input: bool| {
            let through = if layer.has_relu {
                activation::backward(Activation::Relu, &binned.ys, &own, grad)?
            } else {
                grad.clone()
            };
            let into_b = layer.bias.as_ref().map(|bias| grads.out(bias));
            let into_w = grads.out(&layer.weight);
            binned.backward_of_weights(layer.weight.value(), &through, into_w, into_b)?;
            if let Some([weight, bias]) = &layer.linear0 {
                let of_one = weight.value().reshape((features, 1, width))?;
                let (into_w, into_b) = (grads.out(weight), Some(grads.out(bias)));
                grouped_linear::backward_of_weights(&number, &of_one, grad, into_w, into_b)?;
            }
            if want_input { layer.input_gradient(&xs, &through, grad).map(Some) } else { Ok(None) }
        };
        Ok(Embedded { ys, back: Box::new(back) })
    }

    fn describe(&self) -> NumericalOp {
        let name = |param: &Param| param.name().to_owned();
        NumericalOp::PiecewiseLinear {
            slopes: self.slopes.name().to_owned(),
            offsets: self.offsets.name().to_owned(),
            linear0: self.linear0.as_ref().map(|[weight, bias]| [name(weight), name(bias)]),
            weight: name(&self.weight),
            bias: self.bias.as_ref().map(name),
            sizes: self.sizes(),
            has_relu: self.has_relu,
        }
    }
}

/// The edges of the bins of a feature: the quantiles of its numbers, each once; of a constant one, that and 1 more.
fn edges(mut column: Vec<f64>, weights: Option<&[f64]>, bins: usize) -> Vec<f64> {
    let shares = (0..=bins).map(|edge| real(edge) / real(bins));
    let mut edges: Vec<f64> = if let Some(weights) = weights {
        let weighted = Weighted::new(column.into_iter().zip(weights.iter().copied()));
        shares.map(|share| weighted.quantile(share)).collect()
    } else {
        column.sort_unstable_by(f64::total_cmp);
        shares.map(|share| quantile(&column, share)).collect()
    };
    edges.dedup_by(|a, b| a <= b);
    if let [only] = edges.as_slice() {
        let only = *only;
        edges.push(only + 1.0);
    }
    edges
}
