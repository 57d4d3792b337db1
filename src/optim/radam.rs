//! `RAdam`, Adam with a rectified adaptive learning rate: Liu et al. 2020, <https://docs.pytorch.org/docs/stable/generated/torch.optim.RAdam.html>.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adam::{self, EXP_AVG, EXP_AVG_SQ, moments};
use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext};
use crate::kernels::real::{PerElement, Real, Updated};
use crate::registry::KeyError;
use crate::registry::schema::below_one;

/// With `ρ_t = ρ_∞ - 2 t β₂ᵗ / (1 - β₂ᵗ)`: where `ρ_t > 5`, Adam times a rectification, before that `p ← p - lr m̂`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RAdam {
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
    /// Apply the weight decay to the weights instead of the gradient, as AdamW does.
    pub decoupled_weight_decay: bool,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for RAdam {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            decoupled_weight_decay: false,
            maximize: false,
        }
    }
}

/// The arithmetic of one step.
#[derive(Debug)]
pub struct Formula {
    betas: [f64; 2],
    eps: f64,
    step_size: f64,
    /// Rectification, including √(1 - β₂ᵗ); none while the variance of the adaptive learning rate is intractable.
    rectified: Option<f64>,
}

impl PerElement for Formula {
    const NAME: &str = "radam";
    const SLOTS: RangeInclusive<usize> = 2..=2;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        moments(&mut slots, g, self.betas);
        let step = slots[EXP_AVG].scale(self.step_size);
        let rectified = |factor| step.scale(factor) / slots[EXP_AVG_SQ].root().shift(self.eps);
        let step =
            R::when(self.rectified.is_some(), || rectified(self.rectified.unwrap_or_default()), || step);
        Updated { param: p - step, slots }
    }
}

impl Hyperparameters for RAdam {
    fn common(&self) -> Common {
        Common {
            lr: self.lr,
            weight_decay: self.weight_decay,
            decoupled: self.decoupled_weight_decay,
            maximize: self.maximize,
        }
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        adam::slots(false)
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.betas[0])
    }

    fn check(&self) -> Result<(), KeyError> {
        adam::check(self.betas, self.eps)
    }
}

impl ElementwiseRule for RAdam {
    type Formula = Formula;

    fn formula(&self, at: StepContext) -> Formula {
        let [beta1, beta2] = self.betas;
        let correction2 = 1.0 - at.power(beta2);
        let rho_inf = 2.0 / (1.0 - beta2) - 1.0;
        let rho = rho_inf - 2.0 * at.count() * at.power(beta2) / correction2;
        let rectified = (rho > 5.0).then(|| {
            let square = (rho - 4.0) * (rho - 2.0) * rho_inf / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho);
            square.sqrt() * correction2.sqrt()
        });
        let step_size = at.lr / (1.0 - at.power(beta1));
        Formula { betas: self.betas, eps: self.eps, step_size, rectified }
    }
}
