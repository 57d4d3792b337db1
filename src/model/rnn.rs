//! An Elman RNN that reads a sequence, and a Linear on its last step.

use serde::{Deserialize, Serialize};

use super::{Build, check_probability, check_width};
use crate::data::Input;
use crate::error::Result;
use crate::nn::{self, Activation, Dropout, InitScheme, LastStep, Layer, Linear, Params, TimeMajor};
use crate::registry::KeyError;

/// Options of the RNN, by torch's names. Its state dict has `rnn.weight_ih_l0` and so on, and `fc.weight`, `fc.bias`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rnn {
    /// The width of the state.
    pub hidden_size: usize,
    /// How many RNNs lie on each other.
    pub num_layers: usize,
    /// Whether each of them reads the sequence in both directions.
    pub bidirectional: bool,
    /// The activation of the state.
    pub nonlinearity: Nonlinearity,
    /// The probability of Dropout between the layers.
    pub dropout: f64,
    /// Initialisers; what is left out is PyTorch's default.
    pub init: InitScheme,
}

/// torch.nn.RNN's two activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nonlinearity {
    /// The hyperbolic tangent.
    Tanh,
    /// `max(x, 0)`
    Relu,
}

impl Default for Rnn {
    fn default() -> Self {
        Self {
            hidden_size: 50,
            num_layers: 1,
            bidirectional: false,
            nonlinearity: Nonlinearity::Tanh,
            dropout: 0.0,
            init: InitScheme::default(),
        }
    }
}

impl Build for Rnn {
    fn input(&self) -> Input {
        Input::Sequences
    }

    fn check(&self) -> Result<(), KeyError> {
        check_width("hidden_size", self.hidden_size)?;
        if !(1..=64).contains(&self.num_layers) {
            return Err(KeyError::new("num_layers", format!("is {}; take 1 to 64", self.num_layers)));
        }
        check_probability("dropout", self.dropout)?;
        if self.dropout > 0.0 && self.num_layers == 1 {
            let problem = "lies between recurrent layers, and there is one; set `num_layers` to 2 or more, or remove it";
            return Err(KeyError::new("dropout", problem));
        }
        self.init.check().map_err(|e| e.under("init"))
    }

    fn build(&self, features: usize, outputs: usize, params: &mut Params) -> Result<Vec<Box<dyn Layer>>> {
        let activation = match self.nonlinearity {
            Nonlinearity::Tanh => Activation::Tanh,
            Nonlinearity::Relu => Activation::Relu,
        };
        let bias = self.init.bias.as_ref();
        let mut layers: Vec<Box<dyn Layer>> = vec![Box::new(TimeMajor)];
        let mut inputs = features;
        for index in 0..self.num_layers {
            if index > 0 && self.dropout > 0.0 {
                layers.push(Box::new(Dropout { p: self.dropout }));
            }
            let (sizes, init) = ((inputs, self.hidden_size), (self.init.hidden.as_ref(), bias));
            let rnn = nn::Rnn::new(params, ("rnn", index), sizes, self.bidirectional, init, activation)?;
            layers.push(Box::new(rnn));
            inputs = if self.bidirectional { 2 * self.hidden_size } else { self.hidden_size };
        }
        layers.push(Box::new(LastStep));
        let init = (self.init.output.as_ref(), bias);
        layers.push(Box::new(Linear::new(params, "fc", (inputs, outputs), init, None)?));
        Ok(layers)
    }
}
