//! Adamax, Adam with the infinity norm: Kingma and Ba 2015, <https://docs.pytorch.org/docs/stable/generated/torch.optim.Adamax.html>.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext, adam};
use crate::kernels::real::{PerElement, Real, Updated};
use crate::registry::KeyError;
use crate::registry::schema::below_one;

/// `m ← β₁ m + (1 - β₁) g`, `u ← max(β₂ u, |g| + eps)`, `p ← p - lr / (1 - β₁ᵗ) · m / u`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adamax {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Decay rates β₁ and β₂ of the running means.
    #[schemars(transform = below_one)]
    pub betas: [f64; 2],
    /// Added to the gradient's absolute value for numerical stability.
    #[schemars(range(min = 0))]
    pub eps: f64,
    /// Weight decay: this times the weight is added to the gradient.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for Adamax {
    fn default() -> Self {
        Self { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.0, maximize: false }
    }
}

/// The places of the state, by torch's names.
const EXP_AVG: usize = 0;
const EXP_INF: usize = 1;

/// The arithmetic of one step.
#[derive(Debug)]
pub struct Formula {
    betas: [f64; 2],
    eps: f64,
    step_size: f64,
}

impl PerElement for Formula {
    const NAME: &str = "adamax";
    const SLOTS: RangeInclusive<usize> = 2..=2;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        slots[EXP_AVG] = slots[EXP_AVG] + (g - slots[EXP_AVG]).scale(1.0 - self.betas[0]);
        slots[EXP_INF] = slots[EXP_INF].scale(self.betas[1]).larger(g.magnitude().shift(self.eps));
        Updated { param: p - (slots[EXP_AVG] / slots[EXP_INF]).scale(self.step_size), slots }
    }
}

impl Hyperparameters for Adamax {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: self.weight_decay, decoupled: false, maximize: self.maximize }
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        vec![Slot::zero("exp_avg"), Slot::zero("exp_inf")]
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.betas[0])
    }

    fn check(&self) -> Result<(), KeyError> {
        adam::check(self.betas, self.eps)
    }
}

impl ElementwiseRule for Adamax {
    type Formula = Formula;

    fn formula(&self, at: StepContext) -> Formula {
        let step_size = at.lr / (1.0 - at.power(self.betas[0]));
        Formula { betas: self.betas, eps: self.eps, step_size }
    }
}
