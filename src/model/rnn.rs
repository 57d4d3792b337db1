//! An Elman RNN, and a Linear layer on its output.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::recurrent::{Head, MOST_LAYERS, Stack};
use super::{Build, MOST_UNITS};
use crate::data::InputKind;
use crate::error::Result;
use crate::nn::{Activation, CellKind, InitScheme, Layer, Params, Shape};
use crate::registry::KeyError;

/// Options of the RNN, by torch's names. Its state dict has `rnn.weight_ih_l0` and so on, and `fc.weight`, `fc.bias`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rnn {
    /// The size of the hidden state.
    #[schemars(range(min = 1, max = MOST_UNITS))]
    pub hidden_size: usize,
    /// The number of stacked layers.
    #[schemars(range(min = 1, max = MOST_LAYERS))]
    pub num_layers: usize,
    /// Whether each layer reads the sequence in both directions.
    pub bidirectional: bool,
    /// The activation of the state.
    pub nonlinearity: RnnNonlinearity,
    /// The probability of Dropout between the layers.
    #[schemars(range(min = 0, max = 1))]
    pub dropout: f64,
    /// The states that the Linear layer reads.
    pub head: Head,
    /// Initialisers; PyTorch's defaults where left out.
    pub init: InitScheme,
}

/// torch.nn.RNN's two activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Nonlinearity")]
pub enum RnnNonlinearity {
    /// The hyperbolic tangent.
    Tanh,
    /// `max(x, 0)`
    Relu,
}

impl Default for Rnn {
    fn default() -> Self {
        let Stack { hidden_size, num_layers, bidirectional, dropout, head, init } = Stack::default();
        let nonlinearity = RnnNonlinearity::Tanh;
        Self { hidden_size, num_layers, bidirectional, nonlinearity, dropout, head, init }
    }
}

impl Rnn {
    /// The options that it shares with the other recurrent models.
    fn stack(&self) -> Stack {
        let Self { hidden_size, num_layers, bidirectional, dropout, head, ref init, .. } = *self;
        Stack { hidden_size, num_layers, bidirectional, dropout, head, init: init.clone() }
    }
}

impl Build for Rnn {
    fn input(&self) -> InputKind {
        InputKind::Sequences
    }

    fn check(&self) -> Result<(), KeyError> {
        self.stack().check()
    }

    fn check_size(&self, inputs: usize, outputs: usize) -> Result<(), KeyError> {
        self.stack().check_size(1, inputs, outputs)
    }

    fn init(&self) -> &InitScheme {
        &self.init
    }

    fn build(&self, input: &Shape, outputs: usize, params: &mut Params) -> Result<Vec<Box<dyn Layer>>> {
        let activation = match self.nonlinearity {
            RnnNonlinearity::Tanh => Activation::Tanh,
            RnnNonlinearity::Relu => Activation::Relu,
        };
        self.stack().build(CellKind::Elman(activation), "rnn", input.width(), outputs, params)
    }
}
