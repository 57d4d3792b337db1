//! Lion: Chen et al. 2023, <https://arxiv.org/abs/2302.06675>. Beyond torch.optim.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext, check_betas};
use crate::kernels::real::{PerElement, Real, Updated};
use crate::registry::KeyError;
use crate::registry::schema::below_one;

/// `p ← p (1 - lr · weight_decay) - lr sign(β₁ m + (1 - β₁) g)`, `m ← β₂ m + (1 - β₂) g`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lion {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Decay rates β₁ and β₂ of the running means.
    #[schemars(transform = below_one)]
    pub betas: [f64; 2],
    /// Decoupled weight decay: each update first multiplies the weight by `1 - lr · weight_decay`.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for Lion {
    fn default() -> Self {
        Self { lr: 1e-4, betas: [0.9, 0.99], weight_decay: 0.0, maximize: false }
    }
}

/// The places of the state, by torch's names.
const EXP_AVG: usize = 0;

/// The arithmetic of one step.
#[derive(Debug)]
pub struct Formula {
    betas: [f64; 2],
    lr: f64,
}

impl PerElement for Formula {
    const NAME: &str = "lion";
    const SLOTS: RangeInclusive<usize> = 1..=1;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        let [beta1, beta2] = self.betas;
        let mixed = slots[EXP_AVG].scale(beta1) + g.scale(1.0 - beta1);
        let step = g.constant(self.lr);
        slots[EXP_AVG] = slots[EXP_AVG].scale(beta2) + g.scale(1.0 - beta2);
        Updated { param: p - mixed.if_positive(step, (-mixed).if_positive(-step, g.constant(0.0))), slots }
    }
}

impl Hyperparameters for Lion {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: self.weight_decay, decoupled: true, maximize: self.maximize }
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        vec![Slot::zero("exp_avg")]
    }

    fn has_step(&self) -> bool {
        false
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.betas[0])
    }

    fn check(&self) -> Result<(), KeyError> {
        check_betas(&[("betas[0]", self.betas[0]), ("betas[1]", self.betas[1])])
    }
}

impl ElementwiseRule for Lion {
    type Formula = Formula;

    fn formula(&self, at: StepContext) -> Formula {
        Formula { betas: self.betas, lr: at.lr }
    }
}
