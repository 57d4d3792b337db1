//! Networks made of layers.

pub mod gru;
pub mod lstm;
pub mod mlp;
mod network;
pub mod recurrent;
pub mod rnn;

use crate::data::Input;
use crate::error::Result;
use crate::nn::{Layer, Params};
use crate::registry;
use crate::registry::KeyError;

pub use network::{Network, Place};

/// A model's options, which know how to build it.
pub trait Build {
    /// What the network reads.
    fn input(&self) -> Input;

    /// Refuses options that cannot be, by the key at fault.
    fn check(&self) -> Result<(), KeyError>;

    /// The layers from a row of `features` (of each step, where the model reads sequences) to `outputs` numbers; their
    /// tensors go to `params`.
    fn build(&self, features: usize, outputs: usize, params: &mut Params) -> Result<Vec<Box<dyn Layer>>>;

    /// Whether the rows of a batch see each other in training, as in BatchNorm. Then a batch cannot be taken in parts.
    fn couples_rows(&self) -> bool {
        false
    }
}

registry! {
    /// The known models, by `model.name`.
    pub enum Model: "model", Build {
        "mlp" => Mlp(mlp::Mlp),
        "rnn" => Rnn(rnn::Rnn),
        "lstm" => Lstm(lstm::Lstm),
        "gru" => Gru(gru::Gru),
    }
}

/// Refuses a probability outside 0 … 1.
fn check_probability(key: &str, p: f64) -> Result<(), KeyError> {
    if (0.0..=1.0).contains(&p) {
        return Ok(());
    }
    Err(KeyError::new(key, format!("is {p}; a probability lies between 0 and 1")))
}

/// The most units of a layer.
const MOST_UNITS: usize = 1 << 20;

/// Refuses a width of 0, and one that no memory holds.
fn check_width(key: &str, width: usize) -> Result<(), KeyError> {
    if (1..=MOST_UNITS).contains(&width) {
        return Ok(());
    }
    Err(KeyError::new(key, format!("is {width}; a layer has 1 to {MOST_UNITS} units")))
}
