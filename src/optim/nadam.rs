//! `NAdam`, Adam with Nesterov momentum: Dozat 2016, <https://docs.pytorch.org/docs/stable/generated/torch.optim.NAdam.html>.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adam::{self, EXP_AVG, EXP_AVG_SQ, moments};
use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext, check_non_negative};
use crate::kernels::real::{PerElement, Real, Updated};
use crate::registry::KeyError;
use crate::registry::schema::below_one;

/// Adam whose step mixes gradient and momentum: `μ_t = β₁ (1 - ½ · 0.96^(t ψ))`, and
/// `p ← p - lr ((1 - μ_t) / (1 - Π μ) · g + μ_{t+1} / (1 - μ_{t+1} Π μ) · m) / (√v̂ + eps)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NAdam {
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
    /// Momentum decay ψ.
    #[schemars(range(min = 0))]
    pub momentum_decay: f64,
    /// Apply the weight decay to the weights instead of the gradient, as AdamW does.
    pub decoupled_weight_decay: bool,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for NAdam {
    fn default() -> Self {
        Self {
            lr: 2e-3,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            momentum_decay: 4e-3,
            decoupled_weight_decay: false,
            maximize: false,
        }
    }
}

impl NAdam {
    /// `μ_t`
    fn mu(&self, t: f64) -> f64 {
        self.betas[0] * (1.0 - 0.5 * 0.96f64.powf(t * self.momentum_decay))
    }
}

/// The arithmetic of one step.
#[derive(Debug)]
pub struct Formula {
    betas: [f64; 2],
    eps: f64,
    /// Bias correction of the second moment.
    correction2: f64,
    grad_size: f64,
    momentum_size: f64,
}

impl PerElement for Formula {
    const NAME: &str = "nadam";
    const SLOTS: RangeInclusive<usize> = 2..=2;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        moments(&mut slots, g, self.betas);
        let denominator = slots[EXP_AVG_SQ].scale(1.0 / self.correction2).root().shift(self.eps);
        let step = g.scale(self.grad_size) + slots[EXP_AVG].scale(self.momentum_size);
        Updated { param: p - step / denominator, slots }
    }
}

impl Hyperparameters for NAdam {
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

    fn numbers(&self) -> Vec<Slot> {
        vec![Slot::new("mu_product", 1.0)]
    }

    fn advance(&self, numbers: &mut [f64], at: StepContext) {
        numbers[0] *= self.mu(at.count());
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.betas[0])
    }

    fn check(&self) -> Result<(), KeyError> {
        adam::check(self.betas, self.eps)?;
        check_non_negative(&[("momentum_decay", self.momentum_decay)])
    }
}

impl ElementwiseRule for NAdam {
    type Formula = Formula;

    fn formula(&self, at: StepContext) -> Formula {
        let product = at.numbers[0];
        let (mu, next) = (self.mu(at.count()), self.mu(at.count() + 1.0));
        Formula {
            betas: self.betas,
            eps: self.eps,
            correction2: 1.0 - at.power(self.betas[1]),
            grad_size: at.lr * (1.0 - mu) / (1.0 - product),
            momentum_size: at.lr * next / (1.0 - product * next),
        }
    }
}
