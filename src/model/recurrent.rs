//! The common part of RNN, LSTM and GRU: stacked recurrent layers, and a Linear layer on their output.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MOST_UNITS, check_matrices, check_probability, check_width};
use crate::error::Result;
use crate::nn::{
    CellKind, Dropout, InitScheme, LastStep, Layer, Linear, MeanOfSteps, Params, Recurrent, RecurrentOptions,
    TimeMajor,
};
use crate::registry::KeyError;

/// The largest number of stacked layers.
pub(super) const MOST_LAYERS: usize = 64;

/// Options of a recurrent model, by torch's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub struct Stack {
    /// The size of the hidden state.
    #[schemars(range(min = 1, max = MOST_UNITS))]
    pub hidden_size: usize,
    /// The number of stacked layers.
    #[schemars(range(min = 1, max = MOST_LAYERS))]
    pub num_layers: usize,
    /// Whether each layer reads the sequence in both directions.
    pub bidirectional: bool,
    /// The probability of Dropout between the layers.
    #[schemars(range(min = 0, max = 1))]
    pub dropout: f64,
    /// The states that the Linear layer reads.
    pub head: Head,
    /// Initialisers; PyTorch's defaults where left out.
    pub init: InitScheme,
}

/// The states that the Linear layer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// The last step's: `output[:, -1]` in torch, where the backward direction of `bidirectional` has read that step alone.
    #[default]
    Last,
    /// The mean over the steps: `output.mean(1)`.
    Mean,
}

impl Default for Stack {
    fn default() -> Self {
        Self {
            hidden_size: 50,
            num_layers: 1,
            bidirectional: false,
            dropout: 0.0,
            head: Head::Last,
            init: InitScheme::default(),
        }
    }
}

impl Stack {
    pub(super) fn check(&self) -> Result<(), KeyError> {
        check_width("hidden_size", self.hidden_size)?;
        if !(1..=MOST_LAYERS).contains(&self.num_layers) {
            return Err(KeyError::new(
                "num_layers",
                format!("is {}; take 1 to {MOST_LAYERS}", self.num_layers),
            ));
        }
        check_probability("dropout", self.dropout)?;
        if self.dropout > 0.0 && self.num_layers == 1 {
            let problem = "needs `num_layers` of 2 or more, as it is applied between recurrent layers; remove it, or add layers";
            return Err(KeyError::new("dropout", problem));
        }
        self.init.check().map_err(|e| e.under("init"))
    }

    /// Validates that the weights of layers whose cells have so many gates fit into a network.
    pub(super) fn check_size(&self, gates: usize, inputs: usize, outputs: usize) -> Result<(), KeyError> {
        let (hidden, directions) = (self.hidden_size, if self.bidirectional { 2 } else { 1 });
        let rows = gates.saturating_mul(hidden);
        let states = hidden.saturating_mul(directions);
        let layers = (0..self.num_layers).flat_map(|layer| {
            let inputs = if layer == 0 { inputs } else { states };
            std::iter::repeat_n([rows, inputs.saturating_add(hidden)], directions)
        });
        check_matrices("hidden_size", layers.chain([[states, outputs]]))
    }

    /// The layers from steps of `features` to `outputs` numbers, with parameters `NAME.weight_ih_l0` and so on, and
    /// `fc.weight`, `fc.bias`.
    pub(super) fn build(
        &self,
        kind: CellKind,
        name: &str,
        features: usize,
        outputs: usize,
        params: &mut Params,
    ) -> Result<Vec<Box<dyn Layer>>> {
        let mut layers: Vec<Box<dyn Layer>> = vec![Box::new(TimeMajor)];
        let mut inputs = features;
        for index in 0..self.num_layers {
            if index > 0 && self.dropout > 0.0 {
                layers.push(Box::new(Dropout { p: self.dropout }));
            }
            let options = RecurrentOptions {
                kind,
                features: inputs,
                hidden: self.hidden_size,
                bidirectional: self.bidirectional,
            };
            let layer = Recurrent::new(params, name, index, options, self.init.of_hidden())?;
            layers.push(Box::new(layer));
            inputs = if self.bidirectional { 2 * self.hidden_size } else { self.hidden_size };
        }
        layers.push(match self.head {
            Head::Last => Box::new(LastStep),
            Head::Mean => Box::new(MeanOfSteps),
        });
        layers.push(Box::new(Linear::new(params, "fc", inputs, outputs, self.init.of_output(), None)?));
        Ok(layers)
    }
}
