//! Adagrad: Duchi, Hazan and Singer 2011, <https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html>.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext, check_non_negative};
use crate::kernels::real::{PerElement, Real, Updated};
use crate::registry::KeyError;

/// `s ← s + g²`, `p ← p - lr / (1 + (t - 1) lr_decay) · g / (√s + eps)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adagrad {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Learning-rate decay.
    #[schemars(range(min = 0))]
    pub lr_decay: f64,
    /// Weight decay: this times the weight is added to the gradient.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Initial value of the sum of squared gradients.
    #[schemars(range(min = 0))]
    pub initial_accumulator_value: f64,
    /// Added to the denominator for numerical stability.
    #[schemars(range(min = 0))]
    pub eps: f64,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for Adagrad {
    fn default() -> Self {
        Self {
            lr: 1e-2,
            lr_decay: 0.0,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            eps: 1e-10,
            maximize: false,
        }
    }
}

/// The places of the state, by torch's names.
const SUM: usize = 0;

/// The arithmetic of one step.
#[derive(Debug)]
pub struct Formula {
    lr: f64,
    eps: f64,
}

impl PerElement for Formula {
    const NAME: &str = "adagrad";
    const SLOTS: RangeInclusive<usize> = 1..=1;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        slots[SUM] = slots[SUM] + g * g;
        Updated { param: p - (g / slots[SUM].root().shift(self.eps)).scale(self.lr), slots }
    }
}

impl Hyperparameters for Adagrad {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: self.weight_decay, decoupled: false, maximize: self.maximize }
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        vec![Slot::new("sum", self.initial_accumulator_value)]
    }

    fn check(&self) -> Result<(), KeyError> {
        check_non_negative(&[
            ("lr_decay", self.lr_decay),
            ("initial_accumulator_value", self.initial_accumulator_value),
            ("eps", self.eps),
        ])
    }
}

impl ElementwiseRule for Adagrad {
    type Formula = Formula;

    fn formula(&self, at: StepContext) -> Formula {
        let lr = at.lr / (1.0 + (at.count() - 1.0) * self.lr_decay);
        Formula { lr, eps: self.eps }
    }
}
