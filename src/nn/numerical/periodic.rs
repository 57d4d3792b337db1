//! Periodic embeddings: `PeriodicEmbeddings` of `rtdl_num_embeddings` (PLR), and those of `RealMLP` (PBLD, Holzmüller et al.
//! 2024, <https://arxiv.org/abs/2407.04491>).

use std::f64::consts::PI;

use candle_core::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Embedded, Embedding, NumericalOptions, check_count};
use crate::error::Result;
use crate::kernels::Activation;
use crate::kernels::activation;
use crate::kernels::numerical::grouped_linear;
use crate::kernels::numerical::periodic::{self, Frequencies};
use crate::nn::init::{Normal, TruncNormal};
use crate::nn::{GradWriter, Init, NumericalOp, Param, Params};
use crate::registry::KeyError;
use crate::registry::schema::positive;

/// A number as the cosines and sines of learnt frequencies, and a linear layer of its own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Periodic {
    /// "plr": `relu(linear([cos(2π w x), sin(2π w x)]))`; "pbld": `[linear(cos(2π w x + b)), x]`.
    pub variant: PeriodicVariant,
    /// The numbers that a feature becomes; default: 24 of "plr", 4 of "pbld", of which one is x.
    #[schemars(range(min = 1))]
    pub d_embedding: Option<usize>,
    /// The frequencies of a feature; default: 48 of "plr", 16 of "pbld".
    #[schemars(range(min = 1))]
    pub n_frequencies: Option<usize>,
    /// The standard deviation with which frequencies start; default: 0.01 of "plr", 0.1 of "pbld".
    #[schemars(transform = positive_or_none)]
    pub frequency_init_scale: Option<f64>,
    /// Whether ReLU follows the linear layer; default: true of "plr", false of "pbld".
    pub activation: Option<bool>,
}

fn positive_or_none(schema: &mut schemars::Schema) {
    positive(schema);
}

/// The form of periodic embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PeriodicVariant {
    /// Periodic, linear, ReLU: rtdl's.
    #[default]
    Plr,
    /// Periodic with a bias, linear, and densely connected: `RealMLP`'s.
    Pbld,
}

impl Periodic {
    fn is_pbld(&self) -> bool {
        self.variant == PeriodicVariant::Pbld
    }

    fn frequencies(&self) -> usize {
        self.n_frequencies.unwrap_or(if self.is_pbld() { 16 } else { 48 })
    }

    fn scale(&self) -> f64 {
        self.frequency_init_scale.unwrap_or(if self.is_pbld() { 0.1 } else { 0.01 })
    }
}

impl NumericalOptions for Periodic {
    fn check(&self) -> Result<(), KeyError> {
        check_count("d_embedding", self.width())?;
        check_count("n_frequencies", self.frequencies())?;
        let scale = self.scale();
        if !(scale.is_finite() && scale > 0.0) {
            let problem = format!("is {scale}; it must be finite and greater than 0");
            return Err(KeyError::new("frequency_init_scale", problem));
        }
        if self.is_pbld() && self.width() < 2 {
            return Err(KeyError::new(
                "d_embedding",
                "is 1, and \"pbld\" has x itself beside the linear layer's; take 2 or more",
            ));
        }
        Ok(())
    }

    fn width(&self) -> usize {
        self.d_embedding.unwrap_or(if self.is_pbld() { 4 } else { 24 })
    }

    fn build(&self, params: &mut Params, features: usize) -> Result<Box<dyn Embedding>> {
        let (frequencies, std) = (self.frequencies(), self.scale());
        let (waves, width) = ([features, frequencies], self.width() - usize::from(self.is_pbld()));
        let start = if self.is_pbld() {
            Init::Normal(Normal { mean: 0.0, std })
        } else {
            Init::TruncNormal(TruncNormal { mean: 0.0, std, a: -3.0 * std, b: 3.0 * std })
        };
        let weight = params.param("numerical.periodic.weight", &waves, &start)?;
        let bias = self
            .is_pbld()
            .then(|| params.param("numerical.periodic.bias", &waves, &Init::within(PI)))
            .transpose()?;
        let components = if self.is_pbld() { frequencies } else { 2 * frequencies };
        #[allow(clippy::cast_precision_loss, reason = "a small number")]
        let within = Init::within(1.0 / (components as f64).sqrt());
        Ok(Box::new(PeriodicEmbedding {
            weight,
            bias,
            linear: [
                params.param("numerical.linear.weight", &[features, components, width], &within)?,
                params.param("numerical.linear.bias", &[features, width], &within)?,
            ],
            has_relu: self.activation.unwrap_or(!self.is_pbld()),
            is_dense: self.is_pbld(),
        }))
    }
}

/// Periodic embeddings with their parameters.
#[derive(Debug, Clone)]
struct PeriodicEmbedding {
    /// (F, K)
    weight: Param,
    /// (F, K)
    bias: Option<Param>,
    /// (F, J, D) and (F, D)
    linear: [Param; 2],
    has_relu: bool,
    /// Whether the feature itself is a part.
    is_dense: bool,
}

impl PeriodicEmbedding {
    fn waves(&self) -> Frequencies<'_> {
        Frequencies { w: self.weight.value(), b: self.bias.as_ref().map(Param::value) }
    }
}

impl Embedding for PeriodicEmbedding {
    fn width(&self) -> usize {
        self.linear[1].value().dims()[1] + usize::from(self.is_dense)
    }

    fn columns(&self) -> Vec<usize> {
        let own = self.linear[1].value().dims()[1];
        if self.is_dense { vec![own, 1] } else { vec![own] }
    }

    fn embed(&self, xs: &Tensor) -> Result<Embedded> {
        let zs = periodic::forward(xs, self.waves())?;
        let [weight, bias] = &self.linear;
        let products = grouped_linear::forward(&zs, weight.value(), Some(bias.value()))?;
        let own =
            if self.has_relu { activation::forward(Activation::Relu, &products)? } else { products.clone() };
        let ys = if self.is_dense { Tensor::cat(&[&own, xs], 1)? } else { own.clone() };
        let (layer, xs) = (self.clone(), xs.clone());
        let back = move |grad: &Tensor, grads: &GradWriter<'_>, want_input: bool| {
            let [weight, bias] = &layer.linear;
            let width = own.dim(1)?;
            let mut through = grad.narrow(1, 0, width)?.contiguous()?;
            if layer.has_relu {
                through = activation::backward(Activation::Relu, &products, &own, &through)?;
            }
            let (into_w, into_b) = (grads.out(weight), Some(grads.out(bias)));
            let of_waves = grouped_linear::backward(&zs, weight.value(), &through, into_w, into_b)?;
            let into_w = grads.out(&layer.weight);
            let into_b = layer.bias.as_ref().map(|bias| grads.out(bias));
            let of_xs = periodic::backward(&xs, layer.waves(), &of_waves, into_w, into_b)?;
            if !layer.is_dense || !want_input {
                return Ok(Some(of_xs).filter(|_| want_input));
            }
            Ok(Some((of_xs + grad.narrow(1, width, xs.dim(1)?)?)?))
        };
        Ok(Embedded { ys, back: Box::new(back) })
    }

    fn describe(&self) -> NumericalOp {
        let [weight, bias] = &self.linear;
        NumericalOp::Periodic {
            weight: self.weight.name().to_owned(),
            bias: self.bias.as_ref().map(|bias| bias.name().to_owned()),
            linear: [weight.name().to_owned(), bias.name().to_owned()],
            sizes: [weight.value().dims()[0], self.weight.value().dims()[1], bias.value().dims()[1]],
            has_relu: self.has_relu,
            is_dense: self.is_dense,
        }
    }
}
