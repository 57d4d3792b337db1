//! An activation that each unit mixes with the identity.

use candle_core::Tensor;

use super::init::Ones;
use super::{Activation, Init, Layer, Mode, Op, Param, Params, Shape};
use crate::error::Result;
use crate::kernels::activation::parametric;

/// `x + a (act(x) - x)` of (N, C) with a learnt `a` for each of the C units, which starts at 1: the activation itself.
#[derive(Debug, Clone)]
pub struct ParametricActivation {
    weight: Param,
    activation: Activation,
}

impl ParametricActivation {
    /// A layer with the parameter `NAME.weight`.
    pub fn new(params: &mut Params, name: &str, width: usize, activation: Activation) -> Result<Self> {
        let weight = params.param(format!("{name}.weight"), &[width], &Init::Ones(Ones {}))?;
        Ok(Self { weight, activation })
    }
}

impl Layer for ParametricActivation {
    fn name(&self) -> String {
        self.weight.layer().to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        input.require_width(&self.name(), self.weight.value().elem_count())
    }

    fn describe(&self) -> Vec<Op> {
        vec![Op::ParametricActivation {
            weight: self.weight.name().to_owned(),
            width: self.weight.value().elem_count(),
            activation: self.activation,
        }]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let ys = parametric::forward(self.activation, xs, self.weight.value())?;
        if let Mode::Train(tape) = mode {
            let (layer, xs) = (self.clone(), xs.clone());
            tape.record(move |grad, grads, _| {
                let out = grads.out(&layer.weight);
                let weight = layer.weight.value();
                Ok(Some(parametric::backward(layer.activation, &xs, weight, grad, out)?))
            });
        }
        Ok(ys)
    }
}
