//! Losses that depend on the log-probability of a row's class alone.

use candle_core::Tensor;

/// A row's loss as a function of its class's log-probability, with the derivative.
pub trait OfLikelihood {
    /// Value and slope for a row of this class.
    fn apply(&self, log_probability: f64, class: usize) -> (f64, f64);

    /// γ, for a GPU: the loss is `-w (1 - p)^γ log p`.
    fn gamma(&self) -> f64;

    /// w for each class, 1 where there are none.
    fn weights(&self) -> Option<&[f64]>;
}

/// The network's outputs for every class, (N, C).
#[derive(Debug, Clone, Copy)]
pub struct Scores<'a> {
    /// The numbers.
    pub values: &'a Tensor,
    /// Whether they are log-probabilities; else they are logits.
    pub are_normalized: bool,
}

/// The classes of rows.
#[derive(Debug, Clone, Copy)]
pub struct LikelihoodTargets<'a> {
    /// The number of each row's class, (N) as I64.
    pub classes: &'a Tensor,
    /// The number of a row that does not count.
    pub ignored: i64,
    /// The weights of the rows, (N) of F64; none: 1 each.
    pub rows: Option<&'a Tensor>,
}
