//! An activation on its own, where it cannot be part of the layer before it.

use candle_core::Tensor;

use super::{Activation, Layer, Mode, Op, Shape};
use crate::error::Result;
use crate::kernels::activation;

/// Applies an [`Activation`] to every element.
#[derive(Debug, Clone, Copy)]
pub struct Activate(pub Activation);

impl Layer for Activate {
    fn name(&self) -> String {
        self.0.name().to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        Ok(input.clone())
    }

    fn describe(&self) -> Vec<Op> {
        vec![Op::Activation(self.0)]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let act = self.0;
        let ys = activation::forward(act, xs)?;
        if let Mode::Train(tape) = mode {
            let (xs, ys) = (xs.clone(), ys.clone());
            tape.record_without_parameters(move |grad, _, _| {
                Ok(Some(activation::backward(act, &xs, &ys, grad)?))
            });
        }
        Ok(ys)
    }
}
