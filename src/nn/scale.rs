//! Learnt scales of a row's features.

use candle_core::Tensor;

use super::init::Ones;
use super::{Init, Layer, Mode, Op, Param, Params, Shape};
use crate::error::Result;
use crate::kernels::scale;

/// Multiplies each feature of (N, F) by a learnt number, which starts at 1: `RealMLP`'s scale in front of the first layer
/// (Holzmüller et al. 2024, <https://arxiv.org/abs/2407.04491>).
#[derive(Debug, Clone)]
pub struct FrontScale {
    weight: Param,
}

impl FrontScale {
    /// A layer with the parameter `NAME.weight`.
    pub fn new(params: &mut Params, name: &str, width: usize) -> Result<Self> {
        Ok(Self { weight: params.param(format!("{name}.weight"), &[width], &Init::Ones(Ones {}))? })
    }
}

impl Layer for FrontScale {
    fn name(&self) -> String {
        self.weight.layer().to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        input.require_width(&self.name(), self.weight.value().elem_count())
    }

    fn describe(&self) -> Vec<Op> {
        vec![Op::Scale { weight: self.weight.name().to_owned(), width: self.weight.value().elem_count() }]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let ys = scale::forward(xs, self.weight.value())?;
        if let Mode::Train(tape) = mode {
            let (layer, xs) = (self.clone(), xs.clone());
            tape.record(move |grad, grads, _| {
                let out = grads.out(&layer.weight);
                Ok(Some(scale::backward(&xs, layer.weight.value(), grad, out)?))
            });
        }
        Ok(ys)
    }
}
