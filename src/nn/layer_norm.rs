//! `LayerNorm`, <https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html>: Ba et al. 2016,
//! <https://arxiv.org/abs/1607.06450>.

use candle_core::Tensor;

use super::init::{Ones, Zeros};
use super::{Init, Layer, Mode, Op, Param, Params, Shape};
use crate::error::Result;
use crate::kernels::layer_norm;

/// Added to the variance before the square root.
const EPS: f64 = 1e-5;

/// Normalises each row of (N, C) by its own mean and variance, in training and evaluation alike.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    weight: Param,
    bias: Param,
}

impl LayerNorm {
    /// A layer with parameters `NAME.weight` and `NAME.bias`.
    pub fn new(params: &mut Params, name: &str, width: usize) -> Result<Self> {
        Ok(Self {
            weight: params.param(format!("{name}.weight"), &[width], &Init::Ones(Ones {}))?,
            bias: params.param(format!("{name}.bias"), &[width], &Init::Zeros(Zeros {}))?,
        })
    }
}

impl Layer for LayerNorm {
    fn name(&self) -> String {
        self.weight.layer().to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        input.require_width(&self.name(), self.weight.value().elem_count())
    }

    fn describe(&self) -> Vec<Op> {
        vec![Op::LayerNorm {
            weight: self.weight.name().to_owned(),
            bias: self.bias.name().to_owned(),
            width: self.weight.value().elem_count(),
            eps: EPS,
        }]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let output = layer_norm::forward(xs, self.weight.value(), self.bias.value(), EPS)?;
        let ys = output.ys.clone();
        if let Mode::Train(tape) = mode {
            let (layer, xs) = (self.clone(), xs.clone());
            tape.record(move |grad, grads, _| {
                let outs = [grads.out(&layer.weight), grads.out(&layer.bias)];
                let values = [layer.weight.value(), layer.bias.value()];
                Ok(Some(layer_norm::backward(&xs, values, &output, grad, outs)?))
            });
        }
        Ok(ys)
    }
}
