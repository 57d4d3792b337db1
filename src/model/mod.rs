//! Networks made of layers.

pub mod gru;
pub mod linear;
pub mod lstm;
pub mod mlp;
mod network;
pub mod recurrent;
pub mod rnn;

use crate::data::InputKind;
use crate::error::Result;
use crate::nn::{InitScheme, Layer, MOST_NUMBERS, Numerical, Params, Shape};
use crate::registry;
use crate::registry::KeyError;

pub use network::{Network, NetworkOptions, NetworkShape, OnLayer};

/// A model's options, and how it is built from them.
pub trait Build {
    /// The kind of input of the network.
    fn input(&self) -> InputKind;

    /// The most numbers of a row that it can take.
    fn widest(&self) -> usize {
        usize::MAX
    }

    /// Validates the options; an error names the key.
    fn check(&self) -> Result<(), KeyError>;

    /// Validates that the weights from `inputs` numbers of a step to `outputs` numbers fit into a network, before any is
    /// drawn; an error names the key of the widths.
    fn check_size(&self, inputs: usize, outputs: usize) -> Result<(), KeyError>;

    /// The layers from a row of this shape to `outputs` numbers; their tensors go to `params`.
    fn build(&self, input: &Shape, outputs: usize, params: &mut Params) -> Result<Vec<Box<dyn Layer>>>;

    /// The embedding of numerical features, where the options name one.
    fn numerical(&self) -> Option<&Numerical> {
        None
    }

    /// The members of the ensemble that the network is, where it is one.
    fn members(&self) -> Option<usize> {
        None
    }

    /// As [`Self::build`], where the numbers of a row come from columns: so many of each, in order.
    fn build_columns(
        &self,
        input: &Shape,
        _columns: &[usize],
        outputs: usize,
        params: &mut Params,
    ) -> Result<Vec<Box<dyn Layer>>> {
        self.build(input, outputs, params)
    }

    /// The initialisers that a config names.
    fn init(&self) -> &InitScheme;

    /// Whether the rows of a batch depend on each other in training, as with BatchNorm. Such a batch cannot be split.
    fn couples_rows(&self) -> bool {
        false
    }

    /// Checks that learnt vectors of names may stand in front of the layers; an error names the key.
    fn check_embeddings(&self) -> Result<(), KeyError> {
        Ok(())
    }
}

registry! {
    /// The known models, by `model.name`.
    pub enum Model: "model", Build {
        "mlp" => Mlp(mlp::Mlp),
        "linear" => Linear(linear::LinearForecast),
        "rnn" => Rnn(rnn::Rnn),
        "lstm" => Lstm(lstm::Lstm),
        "gru" => Gru(gru::Gru),
    }
}

/// Requires a probability, 0 to 1.
fn check_probability(key: &str, p: f64) -> Result<(), KeyError> {
    if (0.0..=1.0).contains(&p) {
        return Ok(());
    }
    Err(KeyError::new(key, format!("is {p}; a probability lies between 0 and 1")))
}

/// The largest number of units of a layer.
const MOST_UNITS: usize = 1 << 20;

/// Requires a width from 1 to [`MOST_UNITS`].
fn check_width(key: &str, width: usize) -> Result<(), KeyError> {
    if (1..=MOST_UNITS).contains(&width) {
        return Ok(());
    }
    Err(KeyError::new(key, format!("is {width}; a layer has 1 to {MOST_UNITS} units")))
}

/// Requires that matrices of these shapes have [`MOST_NUMBERS`] numbers at most.
fn check_matrices(key: &str, matrices: impl IntoIterator<Item = [usize; 2]>) -> Result<(), KeyError> {
    let mut all = Some(0usize);
    for [rows, columns] in matrices {
        let count = rows.checked_mul(columns);
        all = all.zip(count).and_then(|(all, count)| all.checked_add(count));
    }
    if all.is_some_and(|all| all <= MOST_NUMBERS) {
        return Ok(());
    }
    let count = all.map_or(String::new(), |all| format!(": it has {all}"));
    let problem =
        format!("makes the network larger than {MOST_NUMBERS} numbers{count}; choose smaller widths");
    Err(KeyError::new(key, problem))
}
