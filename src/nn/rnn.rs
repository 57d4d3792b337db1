//! The Elman RNN, <https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html>, and the layers around it.
//!
//! Sequences are time-major between these layers, (T, N, F); [`TimeMajor`] turns a batch (N, T, F) into that.

use candle_core::Tensor;

use super::{Activation, Init, Layer, Mode, Param, Params};
use crate::error::Result;
use crate::kernels::rnn::{self, Cell};

/// One layer of an RNN in one direction or both: (T, N, F) to (T, N, H), or (T, N, 2H) with the reverse direction
/// behind.
#[derive(Debug, Clone)]
pub struct Rnn {
    directions: Vec<Cell<Param>>,
    activation: Activation,
}

impl Rnn {
    /// Layer number `index` with parameters `NAME.weight_ih_l{index}` and so on, with the suffix `_reverse` for the
    /// second direction. Where no initialiser is given all of them are torch's: U(±1/√H).
    pub fn new(
        params: &mut Params,
        (name, index): (&str, usize),
        (features, hidden): (usize, usize),
        bidirectional: bool,
        (weight, bias): (Option<&Init>, Option<&Init>),
        activation: Activation,
    ) -> Result<Self> {
        #[allow(clippy::cast_precision_loss, reason = "the width of a layer")]
        let default = Init::within(1.0 / (hidden as f64).sqrt());
        let (weight, bias) = (weight.unwrap_or(&default), bias.unwrap_or(&default));
        let suffixes: &[&str] = if bidirectional { &["", "_reverse"] } else { &[""] };
        let mut cell = |suffix: &str| -> Result<Cell<Param>> {
            let mut param = |part: &str, shape: &[usize], init| {
                params.param(format!("{name}.{part}_l{index}{suffix}"), shape, init)
            };
            Ok([
                param("weight_ih", &[hidden, features], weight)?,
                param("weight_hh", &[hidden, hidden], weight)?,
                param("bias_ih", &[hidden], bias)?,
                param("bias_hh", &[hidden], bias)?,
            ])
        };
        Ok(Self {
            directions: suffixes.iter().map(|suffix| cell(suffix)).collect::<Result<_>>()?,
            activation,
        })
    }
}

impl Layer for Rnn {
    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let run = |(direction, cell): (usize, &Cell<Param>)| {
            rnn::forward(xs, cell.each_ref().map(Param::value), self.activation, direction == 1)
        };
        let states: Vec<Tensor> = self.directions.iter().enumerate().map(run).collect::<Result<_, _>>()?;
        let ys = if states.len() == 1 { states[0].clone() } else { Tensor::cat(&states, 2)? };
        if let Mode::Train(tape) = mode {
            let (layer, xs) = (self.clone(), xs.clone());
            tape.record(move |grad, grads, want_input| {
                let hidden = states[0].dims()[2];
                let mut input_grad: Option<Tensor> = None;
                for (direction, (cell, hs)) in layer.directions.iter().zip(&states).enumerate() {
                    let grad = grad.narrow(2, direction * hidden, hidden)?.contiguous()?;
                    let (values, sinks) =
                        (cell.each_ref().map(Param::value), cell.each_ref().map(|p| grads.sink(p)));
                    let pass = rnn::Pass { xs: &xs, hs, act: layer.activation, reverse: direction == 1 };
                    let dx = rnn::backward(pass, values, &grad, sinks, want_input)?;
                    input_grad = match (input_grad, dx) {
                        (Some(sum), Some(dx)) => Some((sum + dx)?),
                        (sum, dx) => sum.or(dx),
                    };
                }
                Ok(input_grad)
            });
        }
        Ok(ys)
    }
}

/// Turns a batch (N, T, F) into (T, N, F).
#[derive(Debug, Clone, Copy)]
pub struct TimeMajor;

impl Layer for TimeMajor {
    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        if let Mode::Train(tape) = mode {
            tape.record(|grad, _, want_input| {
                Ok(want_input.then(|| rnn::swap_batch_and_time(grad)).transpose()?)
            });
        }
        Ok(rnn::swap_batch_and_time(xs)?)
    }
}

/// The last step of (T, N, H): (N, H).
#[derive(Debug, Clone, Copy)]
pub struct LastStep;

impl Layer for LastStep {
    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let steps = xs.dims()[0];
        if let Mode::Train(tape) = mode {
            let shape = xs.shape().clone();
            tape.record(move |grad, _, _| {
                let whole = Tensor::zeros(&shape, grad.dtype(), grad.device())?;
                whole.slice_set(&grad.unsqueeze(0)?, 0, steps - 1)?;
                Ok(Some(whole))
            });
        }
        Ok(xs.get(steps - 1)?)
    }
}
