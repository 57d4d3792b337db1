//! Recurrent layers, <https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers>, and the layers around them.
//!
//! Sequences are time-major between these layers, (T, N, F); [`TimeMajor`] turns a batch (N, T, F) into that.

use candle_core::Tensor;

use super::{CellTensors, Init, Layer, LayerInit, Mode, Op, Param, Params, Shape};
use crate::error::Result;
use crate::kernels::recurrent::{
    self, CellKind, CellParams, ForwardPass, RecurrentOutput, StepOrder, last_step_gradient,
    swap_batch_and_time,
};

/// One layer of an RNN, LSTM or GRU in one direction or both: (T, N, F) to (T, N, H), or (T, N, 2H) with the reverse
/// direction second.
#[derive(Debug, Clone)]
pub struct Recurrent {
    name: String,
    index: usize,
    kind: CellKind,
    directions: Vec<CellParams<Param>>,
}

/// The configuration of a recurrent layer.
#[derive(Debug, Clone, Copy)]
pub struct RecurrentOptions {
    /// The cell.
    pub kind: CellKind,
    /// The features of a step.
    pub features: usize,
    /// The size of the hidden state.
    pub hidden: usize,
    /// Whether it reads the sequence in both directions.
    pub bidirectional: bool,
}

impl Recurrent {
    /// Layer number `index` with parameters `NAME.weight_ih_l{index}` and so on, with the suffix `_reverse` for the
    /// second direction. Where no initialiser is given all of them are torch's: U(±1/√H).
    pub fn new(
        params: &mut Params,
        name: &str,
        index: usize,
        options: RecurrentOptions,
        init: LayerInit<'_>,
    ) -> Result<Self> {
        let RecurrentOptions { kind, features, hidden, bidirectional } = options;
        #[allow(clippy::cast_precision_loss, reason = "the width of a layer")]
        let default = Init::within(1.0 / (hidden as f64).sqrt());
        let (weight, bias) = (init.weight.unwrap_or(&default), init.bias.unwrap_or(&default));
        let rows = kind.gates() * hidden;
        let suffixes: &[&str] = if bidirectional { &["", "_reverse"] } else { &[""] };
        let mut cell = |suffix: &str| -> Result<CellParams<Param>> {
            let mut param = |part: &str, shape: &[usize], init| {
                params.param(format!("{name}.{part}_l{index}{suffix}"), shape, init)
            };
            Ok([
                param("weight_ih", &[rows, features], weight)?,
                param("weight_hh", &[rows, hidden], weight)?,
                param("bias_ih", &[rows], bias)?,
                param("bias_hh", &[rows], bias)?,
            ])
        };
        let directions = suffixes.iter().map(|suffix| cell(suffix)).collect::<Result<_>>()?;
        Ok(Self { name: format!("{name}_l{index}"), index, kind, directions })
    }

    fn features(&self) -> usize {
        self.directions[0][0].value().dims()[1]
    }

    fn hidden(&self) -> usize {
        self.directions[0][1].value().dims()[1]
    }
}

impl Layer for Recurrent {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        input.without_steps()?;
        let shape = input.require_width(&self.name, self.features())?;
        Ok(shape.with_width(self.hidden() * self.directions.len()))
    }

    fn describe(&self) -> Vec<Op> {
        let tensors = |cell: &CellParams<Param>| {
            let [weight_ih, weight_hh, bias_ih, bias_hh] =
                cell.each_ref().map(|param| param.name().to_owned());
            CellTensors { weight_ih, weight_hh, bias_ih, bias_hh }
        };
        vec![Op::Recurrent {
            kind: self.kind,
            index: self.index,
            features: self.features(),
            hidden: self.hidden(),
            directions: self.directions.iter().map(tensors).collect(),
        }]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let stop = if let Mode::Train(tape) = mode { tape.stop() } else { None };
        let run = |(direction, cell): (usize, &CellParams<Param>)| {
            let order = StepOrder { reverse: direction == 1, stop: stop.as_deref() };
            recurrent::forward(self.kind, xs, cell.each_ref().map(Param::value), order)
        };
        let outputs: Vec<RecurrentOutput> =
            self.directions.iter().enumerate().map(run).collect::<Result<_, _>>()?;
        let states: Vec<&Tensor> = outputs.iter().map(|output| &output.hs).collect();
        let ys = if states.len() == 1 { states[0].clone() } else { Tensor::cat(&states, 2)? };
        if let Mode::Train(tape) = mode {
            let (layer, xs) = (self.clone(), xs.clone());
            tape.record(move |grad, grads, input| {
                let mut input_grad: Option<Tensor> = None;
                for (direction, (cell, output)) in layer.directions.iter().zip(outputs).enumerate() {
                    let hidden = output.hs.dims()[2];
                    let grad = grad.narrow(2, direction * hidden, hidden)?.contiguous()?;
                    let (values, outs) =
                        (cell.each_ref().map(Param::value), cell.each_ref().map(|p| grads.out(p)));
                    let order = StepOrder { reverse: direction == 1, stop: stop.as_deref() };
                    let pass = ForwardPass { kind: layer.kind, xs: &xs, output, order };
                    let dx = recurrent::backward(pass, values, &grad, outs, input.is_read())?;
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

/// Transposes a batch (N, T, F) to (T, N, F).
#[derive(Debug, Clone, Copy)]
pub struct TimeMajor;

impl Layer for TimeMajor {
    fn name(&self) -> String {
        "time_major".to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        Ok(input.clone())
    }

    fn describe(&self) -> Vec<Op> {
        vec![Op::TimeMajor]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        if let Mode::Train(tape) = mode {
            tape.record_without_parameters(|grad, _, input| {
                Ok(input.is_read().then(|| swap_batch_and_time(grad)).transpose()?)
            });
        }
        Ok(swap_batch_and_time(xs)?)
    }
}

/// The last step of (T, N, H): (N, H).
#[derive(Debug, Clone, Copy)]
pub struct LastStep;

impl Layer for LastStep {
    fn name(&self) -> String {
        "last_step".to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        input.without_steps()
    }

    fn describe(&self) -> Vec<Op> {
        vec![Op::LastStep]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let steps = xs.dims()[0];
        if let Mode::Train(tape) = mode {
            tape.record_without_parameters(move |grad, _, _| Ok(Some(last_step_gradient(grad, steps)?)));
        }
        Ok(xs.get(steps - 1)?)
    }
}

/// The mean over the steps of (T, N, H): (N, H).
#[derive(Debug, Clone, Copy)]
pub struct MeanOfSteps;

impl Layer for MeanOfSteps {
    fn name(&self) -> String {
        "mean_of_steps".to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        input.without_steps()
    }

    fn describe(&self) -> Vec<Op> {
        vec![Op::MeanOfSteps]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let shape = xs.shape().clone();
        #[allow(clippy::cast_precision_loss, reason = "a count of steps")]
        let steps = xs.dims()[0] as f64;
        if let Mode::Train(tape) = mode {
            tape.record_without_parameters(move |grad, _, _| {
                Ok(Some((grad.unsqueeze(0)?.broadcast_as(shape)?.contiguous()? / steps)?))
            });
        }
        Ok((xs.sum(0)? / steps)?)
    }
}
