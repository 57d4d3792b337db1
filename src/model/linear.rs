//! One Linear layer from a row, or from all steps of a window, to the outputs: the linear forecast that LTSF-Linear sets
//! against transformers (Zeng et al. 2023, <https://arxiv.org/abs/2205.13504>); with `data.subtract_last` it is its `NLinear`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Build, check_matrices};
use crate::data::InputKind;
use crate::error::Result;
use crate::nn::{self, InitScheme, Layer, MOST_NUMBERS, Params, Shape};
use crate::registry::KeyError;

/// Options of the linear model. Its state dict has `linear.weight` and `linear.bias`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LinearForecast {
    /// Initialisers; PyTorch's defaults where left out.
    pub init: InitScheme,
}

impl Build for LinearForecast {
    fn input(&self) -> InputKind {
        InputKind::Features
    }

    fn widest(&self) -> usize {
        MOST_NUMBERS
    }

    fn check(&self) -> Result<(), KeyError> {
        self.init.check().map_err(|e| e.under("init"))
    }

    fn check_size(&self, inputs: usize, outputs: usize) -> Result<(), KeyError> {
        check_matrices("name", [[inputs, outputs]])
    }

    fn init(&self) -> &InitScheme {
        &self.init
    }

    fn build(&self, input: &Shape, outputs: usize, params: &mut Params) -> Result<Vec<Box<dyn Layer>>> {
        let init = self.init.of_output();
        Ok(vec![Box::new(nn::Linear::new(params, "linear", input.width(), outputs, init, None)?)])
    }
}
