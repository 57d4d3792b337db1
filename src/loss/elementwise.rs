//! Element-wise losses.

use candle_core::Tensor;

use super::{Loss, Losses, NetworkOutput, Reduction, TrainingClasses, numbers_of};
use crate::data::Task;
use crate::error::Result;
use crate::kernels::ValueAndGrad;
use crate::kernels::pairwise::{Pairwise, weighted_value_and_grad};
use crate::registry::KeyError;

/// A loss of values (N, K) that is a sum over all of them.
pub trait Elementwise: Pairwise {
    /// Whether targets may be standardized, `(y - mean) / std`.
    fn standardizes(&self) -> bool {
        false
    }

    /// Whether the gradient is that of the mean or of the sum.
    fn reduction(&self) -> Reduction;

    /// Validates the options.
    fn check(&self) -> Result<(), KeyError> {
        Ok(())
    }

    /// The kind of targets.
    fn task(&self) -> Task {
        Task::Values
    }

    /// Checks the options against the number of target values.
    fn check_outputs(&self, _outputs: usize) -> Result<(), KeyError> {
        Ok(())
    }

    /// The problem with the targets, if there is one.
    fn check_targets(&self, _ys: &Tensor) -> Result<Option<String>> {
        Ok(None)
    }

    /// The least value that a target can have, where there is one.
    fn target_minimum(&self) -> Option<f64> {
        None
    }

    /// The meaning of the network's outputs.
    fn output(&self) -> NetworkOutput {
        NetworkOutput::Values
    }

    /// This loss with the weights of the labels in order, where it has some.
    fn fitted(&self, _classes: &TrainingClasses<'_>) -> Result<Option<Losses>, KeyError> {
        Ok(None)
    }
}

impl<E: Elementwise> Loss for E {
    fn task(&self) -> Task {
        Elementwise::task(self)
    }

    fn check(&self) -> Result<(), KeyError> {
        Elementwise::check(self)
    }

    fn check_outputs(&self, outputs: usize) -> Result<(), KeyError> {
        Elementwise::check_outputs(self, outputs)
    }

    fn check_targets(&self, ys: &Tensor) -> Result<Option<String>> {
        Elementwise::check_targets(self, ys)
    }

    fn target_minimum(&self) -> Option<f64> {
        Elementwise::target_minimum(self)
    }

    fn standardizes(&self) -> bool {
        Elementwise::standardizes(self)
    }

    fn reduction(&self) -> Reduction {
        Elementwise::reduction(self)
    }

    fn weighted_total(&self, ys: &Tensor, rows: Option<&Tensor>) -> Result<f64> {
        numbers_of(ys, rows)
    }

    fn weighted_value_and_grad(
        &self,
        outputs: &Tensor,
        ys: &Tensor,
        rows: Option<&Tensor>,
        divisor: f64,
    ) -> Result<ValueAndGrad> {
        Ok(weighted_value_and_grad(self, outputs, ys, rows, divisor)?)
    }

    fn output(&self) -> NetworkOutput {
        Elementwise::output(self)
    }

    fn fitted(&self, classes: &TrainingClasses<'_>) -> Result<Option<Losses>, KeyError> {
        Elementwise::fitted(self, classes)
    }
}

/// Requires a finite number greater than 0.
pub(super) fn check_positive(key: &str, value: f64) -> Result<(), KeyError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(KeyError::new(key, format!("is {value}; it must be a finite number greater than 0")))
}
