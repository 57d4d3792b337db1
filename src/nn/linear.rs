//! Linear, <https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html>, with the activation after it.

use candle_core::Tensor;

use super::{Activation, Factors, Layer, LayerInit, Mode, Op, Param, Params, Shape};
use crate::error::Result;
use crate::kernels::{MatmulPrecision, linear};

/// `act(x Wᵀ + b)`: (N, in) to (N, out). Weight (out, in), bias (out).
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Param,
    bias: Param,
    activation: Option<Activation>,
    precision: MatmulPrecision,
}

impl Linear {
    /// A layer with parameters `NAME.weight` and `NAME.bias`. Where no initialiser is given they are torch's:
    /// U(±1/√in) both; in the NTK parametrisation N(0, 1/in) and 0.
    pub fn new(
        params: &mut Params,
        name: &str,
        inputs: usize,
        outputs: usize,
        init: LayerInit<'_>,
        activation: Option<Activation>,
    ) -> Result<Self> {
        let LayerInit { weight, bias, parametrization } = init;
        let [weights, biases] = parametrization.defaults(inputs);
        let gain = parametrization.gain(inputs);
        let shape = [outputs, inputs];
        let weight = weight.unwrap_or(&weights);
        Ok(Self {
            weight: params.param_with_gain(format!("{name}.weight"), &shape, weight, gain)?,
            bias: params.param(format!("{name}.bias"), &[outputs], bias.unwrap_or(&biases))?,
            activation,
            precision: params.precision(),
        })
    }

    /// Outputs and inputs.
    fn sizes(&self) -> [usize; 2] {
        let dims = self.weight.value().dims();
        [dims[0], dims[1]]
    }
}

impl Layer for Linear {
    fn name(&self) -> String {
        self.weight.layer().to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        let [outputs, inputs] = self.sizes();
        Ok(input.require_width(&self.name(), inputs)?.with_width(outputs))
    }

    fn describe(&self) -> Vec<Op> {
        let [outputs, inputs] = self.sizes();
        vec![Op::Linear {
            weight: self.weight.name().to_owned(),
            bias: self.bias.name().to_owned(),
            inputs,
            outputs,
            activation: self.activation,
        }]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let output =
            linear::forward(xs, self.weight.value(), self.bias.value(), self.activation, self.precision)?;
        let ys = output.ys.clone();
        if let Mode::Train(tape) = mode {
            let (layer, xs) = (self.clone(), xs.clone());
            tape.record(move |grad, grads, input| {
                let precision = layer.precision;
                let through = linear::Through { w: layer.weight.value(), act: layer.activation, precision };
                let back = linear::backward(through, &output, grad, input.is_read())?;
                let of = [layer.weight.index(), layer.bias.index()];
                grads.put(Factors { of, xs, grad: back.grad, precision })?;
                Ok(back.input)
            });
        }
        Ok(ys)
    }
}
