//! An LSTM, and a Linear layer on its output.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Build;
use super::recurrent::Stack;
use crate::data::InputKind;
use crate::error::Result;
use crate::nn::{CellKind, InitScheme, Layer, Params, Shape};
use crate::registry::KeyError;

/// Options of the LSTM. Its state dict has `lstm.weight_ih_l0` and so on, and `fc.weight`, `fc.bias`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Lstm(pub Stack);

impl Build for Lstm {
    fn input(&self) -> InputKind {
        InputKind::Sequences
    }

    fn check(&self) -> Result<(), KeyError> {
        self.0.check()
    }

    fn check_size(&self, inputs: usize, outputs: usize) -> Result<(), KeyError> {
        self.0.check_size(4, inputs, outputs)
    }

    fn init(&self) -> &InitScheme {
        &self.0.init
    }

    fn build(&self, input: &Shape, outputs: usize, params: &mut Params) -> Result<Vec<Box<dyn Layer>>> {
        self.0.build(CellKind::Lstm, "lstm", input.width(), outputs, params)
    }
}
