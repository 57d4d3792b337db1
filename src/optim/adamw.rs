//! AdamW: Loshchilov and Hutter 2019, <https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adam::{self, Formula};
use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext};
use crate::registry::KeyError;
use crate::registry::schema::below_one;

/// Adam with decoupled weight decay: `p ← p (1 - lr · weight_decay)` before Adam's step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Decay rates β₁ and β₂ of the running means.
    #[schemars(transform = below_one)]
    pub betas: [f64; 2],
    /// Added to the denominator for numerical stability.
    #[schemars(range(min = 0))]
    pub eps: f64,
    /// Decoupled weight decay: each update first multiplies the weight by `1 - lr · weight_decay`.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Divide by the maximum of all v so far (`AMSGrad`).
    pub amsgrad: bool,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 1e-2, amsgrad: false, maximize: false }
    }
}

impl Hyperparameters for AdamW {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: self.weight_decay, decoupled: true, maximize: self.maximize }
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        adam::slots(self.amsgrad)
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.betas[0])
    }

    fn check(&self) -> Result<(), KeyError> {
        adam::check(self.betas, self.eps)
    }
}

impl ElementwiseRule for AdamW {
    type Formula = Formula;

    fn formula(&self, at: StepContext) -> Formula {
        Formula::new(self.betas, self.eps, at)
    }
}
