//! Optimizers that evaluate the loss several times per update: torch's `step(closure)`. They see all parameters as one
//! vector in f64.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::error::Result;

/// The loss at a point, and its gradient there.
#[derive(Debug, Clone, PartialEq)]
pub struct LossAndGrad {
    /// The loss.
    pub loss: f64,
    /// Its gradient.
    pub grad: Vec<f64>,
}

/// The loss and its gradient at a point; `None` if they are not finite.
pub type Closure<'a> = dyn FnMut(&[f64]) -> Result<Option<LossAndGrad>> + 'a;

/// The end of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosureEnd {
    /// It was made.
    Made,
    /// It led to a point where the loss or its gradient is not finite.
    NotFinite,
}

/// The update of all parameters at once.
pub trait ClosureRule {
    /// Moves `point` by one update with the learning rate `lr`. If the update is not made, `point` and `history` are
    /// left in an unspecified state.
    fn update(
        &self,
        point: &mut Vec<f64>,
        history: &mut ClosureState,
        lr: f64,
        evaluate: &mut Closure<'_>,
    ) -> Result<ClosureEnd>;
}

/// The state of a closure rule, by torch's names. A copy shares the pairs of earlier updates.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClosureState {
    /// The last direction.
    pub d: Vec<f64>,
    /// The length of the last step along it.
    pub t: f64,
    /// Differences of gradients, the oldest first.
    pub old_dirs: VecDeque<Arc<Vec<f64>>>,
    /// The steps that led to them.
    pub old_stps: VecDeque<Arc<Vec<f64>>>,
    /// One over the product of each pair.
    pub ro: VecDeque<f64>,
    /// The scale of the inverse Hessian.
    pub h_diag: f64,
    /// The gradient before the last step.
    pub prev_flat_grad: Vec<f64>,
    /// The loss before the last step.
    pub prev_loss: f64,
    /// Evaluations of the loss so far.
    pub func_evals: u64,
    /// Steps so far.
    pub n_iter: u64,
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `to += by · x`
pub(super) fn add(to: &mut [f64], by: f64, x: &[f64]) {
    to.iter_mut().zip(x).for_each(|(to, x)| *to += by * x);
}

/// The largest absolute value.
pub(super) fn largest(xs: &[f64]) -> f64 {
    xs.iter().fold(0.0, |largest, x| x.abs().max(largest))
}
