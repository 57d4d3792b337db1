//! The layers as statements between two buffers.

use std::fmt::Write;

use super::helpers::{Helper, Helpers};
use super::limits::beyond;
use super::numerical::{Buffers, Columns, Parts};
use super::weights::{Constants, Matrix};
use crate::error::{Error, Result};
use crate::export::fold::{Linear, Scaling, narrow, narrowed};
use crate::export::model::TrainedModel;
use crate::nn::{Activation, CellKind, CellTensors, NumericalOp, Op};

/// A network that is being written.
pub(super) struct Network {
    pub(super) constants: Constants,
    pub(super) helpers: Helpers,
    /// The statements.
    pub(super) body: String,
    /// The lengths of the buffers `a` and `b`.
    pub(super) buffers: [usize; 2],
    /// The largest state of a recurrent layer; 0 without one.
    pub(super) hidden: usize,
    /// The bytes of the states of a recurrent layer.
    pub(super) state_bytes: usize,
    /// The buffer that has the value: 0 or 1.
    current: usize,
    steps: usize,
    width: usize,
}

impl Network {
    /// A network without layers.
    pub(super) fn new(is_int8: bool) -> Self {
        Self {
            constants: Constants::new(is_int8),
            helpers: Helpers::default(),
            body: String::new(),
            buffers: [1, 1],
            hidden: 0,
            state_bytes: 0,
            current: 0,
            steps: 1,
            width: 1,
        }
    }

    /// Makes so many steps of this width, in `a`, the input.
    pub(super) fn begin(&mut self, [steps, width]: [usize; 2]) {
        (self.steps, self.width) = (steps, width);
        self.buffers[0] = self.buffers[0].max(steps * width);
        self.current = 0;
    }

    /// The buffer that has the value.
    pub(super) fn value(&self) -> &'static str {
        ["a", "b"][self.current]
    }

    /// Adds layers. Learnt vectors are part of the input.
    ///
    /// # Errors
    /// A layer that C source cannot have.
    pub(super) fn layers(&mut self, model: &TrainedModel, ops: &[Op]) -> Result<()> {
        let mut ops = ops.iter().peekable();
        while let Some(op) = ops.next() {
            let Op::Linear { weight, bias, activation, .. } = op else {
                self.layer(model, op)?;
                continue;
            };
            let norm = ops.next_if(|next| activation.is_none() && matches!(next, Op::BatchNorm { .. }));
            self.linear(model, [weight, bias], norm)?;
            if let Some(activation) = activation {
                self.activate(*activation);
            }
        }
        Ok(())
    }

    /// A layer that is no product.
    fn layer(&mut self, model: &TrainedModel, op: &Op) -> Result<()> {
        match op {
            // A row has no batch to swap with its steps.
            Op::Embeddings { .. } | Op::Dropout { .. } | Op::TimeMajor | Op::Linear { .. } => {}
            Op::BatchNorm { weight, bias, .. } => {
                let Scaling { factor, term } = Scaling::of(model, op)?;
                let factor = self.constants.floats(weight, &narrowed(&factor));
                let term = self.constants.floats(bias, &narrowed(&term));
                self.in_place(Helper::Affine, &format!("affine({factor}, {term}, "));
            }
            Op::LayerNorm { weight, bias, eps, .. } => {
                let (own, more) = (model.tensor(weight)?.values, model.tensor(bias)?.values);
                let (own, more) = (self.constants.floats(weight, &own), self.constants.floats(bias, &more));
                let eps = super::text::float(narrow(*eps));
                self.in_place(Helper::LayerNorm, &format!("layer_norm({own}, {more}, {eps}, "));
            }
            Op::Numerical { places, others, embedding } => {
                self.numerical(model, Columns { places, others }, embedding)?;
            }
            Op::EnsembleScale { .. } | Op::EnsembleLinear { .. } => return Err(beyond("model.ensemble")),
            Op::Scale { weight, .. } => {
                let weight = self.constants.floats(weight, &model.tensor(weight)?.values);
                self.in_place(Helper::Scale, &format!("scale({weight}, "));
            }
            Op::ParametricActivation { weight, activation, .. } => {
                self.mix(&model.tensor(weight)?.values, weight, *activation);
            }
            Op::Activation(activation) => self.activate(*activation),
            Op::Recurrent { kind, hidden, directions, .. } => {
                self.recurrent(model, *kind, *hidden, directions)?;
            }
            Op::LastStep => self.last_step(),
            Op::MeanOfSteps => self.mean_of_steps(),
        }
        Ok(())
    }

    /// Embeddings of some columns.
    fn numerical(
        &mut self,
        model: &TrainedModel,
        columns: Columns<'_>,
        embedding: &NumericalOp,
    ) -> Result<()> {
        let from = self.value();
        let to = self.next(1, columns.places.len() * embedding.width() + columns.others.len());
        let mut parts = Parts { constants: &mut self.constants, helpers: &mut self.helpers, model };
        self.body += &parts.embed(columns, embedding, Buffers { from, to })?;
        Ok(())
    }

    /// The mean of a sequence's steps.
    fn mean_of_steps(&mut self) {
        self.helpers.add(Helper::MeanOfSteps);
        let (from, steps, width) = (self.value(), self.steps, self.width);
        let to = self.next(1, width);
        let _ = writeln!(self.body, "    mean_of_steps({from}, {steps}, {width}, {to});");
    }

    /// The last step of a sequence, in the first one's place.
    fn last_step(&mut self) {
        let (start, width, value) = ((self.steps - 1) * self.width, self.width, self.value());
        if start > 0 {
            let _ = writeln!(
                self.body,
                "    for (int i = 0; i < {width}; i++)\n        {value}[i] = {value}[{start} + i];"
            );
        }
        self.steps = 1;
    }

    /// The mixture of an activation and the identity.
    fn mix(&mut self, weight: &[f32], name: &str, activation: Activation) {
        let function = self.helpers.activation(activation);
        let weight = self.constants.floats(name, weight);
        self.in_place(Helper::Parametric, &format!("parametric({function}, {weight}, "));
    }

    /// A product, with the BatchNorm behind it.
    fn linear(&mut self, model: &TrainedModel, [weight, bias]: [&str; 2], norm: Option<&Op>) -> Result<()> {
        let mut linear = Linear { weight: model.tensor(weight)?, bias: model.tensor(bias)? };
        let (outputs, inputs) = (linear.weight.shape[0], linear.weight.shape[1]);
        if inputs != self.steps * self.width {
            let problem = "is applied to every step of a sequence, which C source does not have";
            return Err(Error::Config(format!("--to c: the layer of `{weight}` {problem}; use --to onnx")));
        }
        let mut factor = Vec::new();
        if let Some(norm) = norm {
            let scaling = Scaling::of(model, norm)?;
            if self.constants.is_int8 {
                // The rows' scales take the factors.
                linear.bias.values = scaling.of_bias(&linear.bias.values);
                factor = scaling.factor;
            } else {
                linear.scale(&scaling);
            }
        }
        let bias = Some(linear.bias.values.as_slice());
        let matrix = Matrix { name: weight, weight: &linear.weight, factor: &factor, bias };
        let matrix = self.constants.matrix(&matrix)?;
        self.helpers.add(Helper::Linear);
        let from = self.value();
        let to = self.next(1, outputs);
        let _ = writeln!(self.body, "    linear(&{matrix}, {from}, {to});");
        Ok(())
    }

    fn recurrent(
        &mut self,
        model: &TrainedModel,
        kind: CellKind,
        hidden: usize,
        directions: &[CellTensors],
    ) -> Result<()> {
        let mut own = "";
        let (function, helper, states) = match kind {
            CellKind::Elman(activation) => {
                own = self.helpers.activation(activation);
                ("elman", Helper::Elman, 2)
            }
            CellKind::Lstm => ("lstm", Helper::Lstm, 3),
            CellKind::Gru => ("gru", Helper::Gru, 2),
        };
        let own = if own.is_empty() { String::new() } else { format!(" {own},") };
        self.helpers.add(helper);
        self.hidden = self.hidden.max(hidden);
        self.state_bytes = self.state_bytes.max(states * hidden * 4);
        let (from, steps, width) = (self.value(), self.steps, directions.len() * hidden);
        let to = self.next(steps, width);
        for (place, CellTensors { weight_ih, weight_hh, bias_ih, bias_hh }) in directions.iter().enumerate() {
            let ih = self.matrix(model, weight_ih, bias_ih)?;
            let hh = self.matrix(model, weight_hh, bias_hh)?;
            let offset = if place == 0 { String::new() } else { format!(" + {}", place * hidden) };
            let _ = writeln!(
                self.body,
                "    {function}(&{ih}, &{hh},{own} {place}, {steps}, {from}, {width}, {to}{offset});"
            );
        }
        Ok(())
    }

    /// The constants of a product and its bias.
    fn matrix(&mut self, model: &TrainedModel, weight: &str, bias: &str) -> Result<String> {
        let (weights, bias) = (model.tensor(weight)?, model.tensor(bias)?.values);
        self.constants.matrix(&Matrix { name: weight, weight: &weights, factor: &[], bias: Some(&bias) })
    }

    fn activate(&mut self, activation: Activation) {
        let function = self.helpers.activation(activation);
        self.in_place(Helper::Apply, &format!("apply({function}, "));
    }

    /// A call that changes the value in its place; `call` goes up to the count.
    pub(super) fn in_place(&mut self, helper: Helper, call: &str) {
        self.helpers.add(helper);
        let _ = writeln!(self.body, "    {call}{}, {});", self.steps * self.width, self.value());
    }

    /// Makes the other buffer the one that has the value, of this shape; gives its name.
    fn next(&mut self, steps: usize, width: usize) -> &'static str {
        self.current = 1 - self.current;
        (self.steps, self.width) = (steps, width);
        self.buffers[self.current] = self.buffers[self.current].max(steps * width);
        self.value()
    }
}
