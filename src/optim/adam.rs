//! Adam: Kingma and Ba 2015, <https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html>.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext, check_betas, check_non_negative};
use crate::kernels::real::{PerElement, Real, Updated};
use crate::registry::KeyError;
use crate::registry::schema::below_one;

/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, `p ← p - lr m̂ / (√v̂ + eps)` with m̂, v̂ corrected for their
/// initialisation at 0. The weight decay is added to the gradient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Decay rates β₁ and β₂ of the running means.
    #[schemars(transform = below_one)]
    pub betas: [f64; 2],
    /// Added to the denominator for numerical stability.
    #[schemars(range(min = 0))]
    pub eps: f64,
    /// Weight decay: this times the weight is added to the gradient.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Divide by the maximum of all v so far (`AMSGrad`, Reddi et al. 2018).
    pub amsgrad: bool,
    /// Apply the weight decay to the weights instead of the gradient, as AdamW does.
    pub decoupled_weight_decay: bool,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            amsgrad: false,
            decoupled_weight_decay: false,
            maximize: false,
        }
    }
}

/// The places of the state, by torch's names.
pub(super) const EXP_AVG: usize = 0;
pub(super) const EXP_AVG_SQ: usize = 1;
pub(super) const MAX_EXP_AVG_SQ: usize = 2;

/// The arithmetic of one step, shared with `AdamW`.
#[derive(Debug)]
pub struct Formula {
    betas: [f64; 2],
    eps: f64,
    step_size: f64,
    /// √(1 - β₂ᵗ)
    root_correction: f64,
}

impl Formula {
    pub(super) fn new(betas: [f64; 2], eps: f64, at: StepContext) -> Self {
        let [correction1, correction2] = betas.map(|beta| 1.0 - at.power(beta));
        Self { betas, eps, step_size: at.lr / correction1, root_correction: correction2.sqrt() }
    }
}

impl PerElement for Formula {
    const NAME: &str = "adam";
    const SLOTS: RangeInclusive<usize> = 2..=3;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        moments(&mut slots, g, self.betas);
        let mut v = slots[EXP_AVG_SQ];
        if S > 2 {
            slots[MAX_EXP_AVG_SQ] = slots[MAX_EXP_AVG_SQ].larger(v);
            v = slots[MAX_EXP_AVG_SQ];
        }
        let denominator = v.root().scale(1.0 / self.root_correction).shift(self.eps);
        Updated { param: p - (slots[EXP_AVG] / denominator).scale(self.step_size), slots }
    }
}

/// Updates the running means of the gradient and of its square, the first two slots.
#[inline(always)]
pub(super) fn moments<R: Real>(slots: &mut [R], g: R, [beta1, beta2]: [f64; 2]) {
    // torch's lerp: m + (g - m)(1 - β₁)
    slots[EXP_AVG] = slots[EXP_AVG] + (g - slots[EXP_AVG]).scale(1.0 - beta1);
    slots[EXP_AVG_SQ] = slots[EXP_AVG_SQ].scale(beta2) + (g * g).scale(1.0 - beta2);
}

/// The state of Adam and of the optimizers derived from it.
pub(super) fn slots(amsgrad: bool) -> Vec<Slot> {
    let names = ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"];
    names[..if amsgrad { 3 } else { 2 }].iter().map(|name| Slot::zero(name)).collect()
}

/// Validates the options of Adam and of the optimizers derived from it.
pub(super) fn check([beta1, beta2]: [f64; 2], eps: f64) -> Result<(), KeyError> {
    check_betas(&[("betas[0]", beta1), ("betas[1]", beta2)])?;
    check_non_negative(&[("eps", eps)])
}

impl Hyperparameters for Adam {
    fn common(&self) -> Common {
        Common {
            lr: self.lr,
            weight_decay: self.weight_decay,
            decoupled: self.decoupled_weight_decay,
            maximize: self.maximize,
        }
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        slots(self.amsgrad)
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.betas[0])
    }

    fn check(&self) -> Result<(), KeyError> {
        check(self.betas, self.eps)
    }
}

impl ElementwiseRule for Adam {
    type Formula = Formula;

    fn formula(&self, at: StepContext) -> Formula {
        Formula::new(self.betas, self.eps, at)
    }
}
