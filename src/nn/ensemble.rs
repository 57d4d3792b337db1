//! The members of `TabM`-mini, which share all layers but a scale of the inputs and the last one: Gorishniy et al. 2024,
//! <https://arxiv.org/abs/2410.24210>, with the initialisation of its package `tabm`.

use candle_core::Tensor;
use rand::Rng;
use rand_distr::StandardNormal;

use super::{Layer, LayerInit, Mode, Op, Param, Params, Shape};
use crate::error::Result;
use crate::kernels::numerical::grouped_linear;
use crate::kernels::scale;

/// The start of the members' scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalingInit {
    /// 1 or -1.
    RandomSigns,
    /// N(0, 1)
    Normal,
}

/// Makes a row of each of K members of each row: (N, F) to (N · K, F), each feature times the member's own number.
#[derive(Debug, Clone)]
pub struct EnsembleScale {
    /// (K, F)
    weight: Param,
}

impl EnsembleScale {
    /// A layer with the parameter `ensemble.weight` for so many members; `columns` are the numbers of features that start
    /// alike, in order.
    pub fn new(params: &mut Params, members: usize, columns: &[usize], init: ScalingInit) -> Result<Self> {
        let width = columns.iter().sum();
        let weight = params.drawn("ensemble.weight", &[members, width], 1.0, |stream| {
            let mut numbers = vec![0.0; members * width];
            let mut start = 0;
            for column in columns {
                for member in 0..members {
                    let number: f64 = match init {
                        ScalingInit::RandomSigns => f64::from(2 * i8::from(stream.random::<bool>()) - 1),
                        ScalingInit::Normal => stream.sample(StandardNormal),
                    };
                    numbers[member * width + start..][..*column].fill(number);
                }
                start += column;
            }
            Ok(numbers)
        })?;
        Ok(Self { weight })
    }

    /// Members and features.
    fn sizes(&self) -> [usize; 2] {
        let dims = self.weight.value().dims();
        [dims[0], dims[1]]
    }
}

impl Layer for EnsembleScale {
    fn name(&self) -> String {
        self.weight.layer().to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        input.require_width(&self.name(), self.sizes()[1])
    }

    fn describe(&self) -> Vec<Op> {
        let [members, width] = self.sizes();
        vec![Op::EnsembleScale { weight: self.weight.name().to_owned(), members, width }]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let ys = scale::forward(xs, self.weight.value())?;
        if let Mode::Train(tape) = mode {
            tape.multiply_rows(self.sizes()[0]);
            let (layer, xs) = (self.clone(), xs.clone());
            tape.record(move |grad, grads, _| {
                let out = grads.out(&layer.weight);
                Ok(Some(scale::backward(&xs, layer.weight.value(), grad, out)?))
            });
        }
        Ok(ys)
    }
}

/// A linear layer for each member: (N · K, in) to (N, K, out).
#[derive(Debug, Clone)]
pub struct EnsembleLinear {
    /// (K, in, out)
    weight: Param,
    /// (K, out)
    bias: Param,
}

impl EnsembleLinear {
    /// A layer with parameters `NAME.weight` and `NAME.bias` of these sizes: members, inputs and outputs.
    pub fn new(params: &mut Params, name: &str, sizes: [usize; 3], init: LayerInit<'_>) -> Result<Self> {
        let [members, inputs, outputs] = sizes;
        let LayerInit { weight, bias, parametrization } = init;
        let [weights, biases] = parametrization.defaults(inputs);
        let (weight, gain) = (weight.unwrap_or(&weights), parametrization.gain(inputs));
        Ok(Self {
            weight: params.param_with_gain(format!("{name}.weight"), &sizes, weight, gain)?,
            bias: params.param(format!("{name}.bias"), &[members, outputs], bias.unwrap_or(&biases))?,
        })
    }

    /// Members, inputs and outputs.
    fn sizes(&self) -> [usize; 3] {
        let dims = self.weight.value().dims();
        [dims[0], dims[1], dims[2]]
    }
}

impl Layer for EnsembleLinear {
    fn name(&self) -> String {
        self.weight.layer().to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        let [members, inputs, outputs] = self.sizes();
        input.require_width(&self.name(), inputs)?;
        Ok(Shape::new(&[members, outputs]))
    }

    fn describe(&self) -> Vec<Op> {
        let (weight, bias) = (self.weight.name().to_owned(), self.bias.name().to_owned());
        vec![Op::EnsembleLinear { weight, bias, sizes: self.sizes() }]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let [members, inputs, outputs] = self.sizes();
        let of_members = xs.reshape(((), members, inputs))?;
        let ys = grouped_linear::forward(&of_members, self.weight.value(), Some(self.bias.value()))?;
        let ys = ys.reshape(((), members, outputs))?;
        if let Mode::Train(tape) = mode {
            let (layer, shape) = (self.clone(), xs.shape().clone());
            tape.record(move |grad, grads, _| {
                let (into_w, into_b) = (grads.out(&layer.weight), Some(grads.out(&layer.bias)));
                let grad = grad.contiguous()?.reshape(((), members * outputs))?;
                let weight = layer.weight.value();
                let back = grouped_linear::backward(&of_members, weight, &grad, into_w, into_b)?;
                Ok(Some(back.reshape(shape)?))
            });
        }
        Ok(ys)
    }
}
