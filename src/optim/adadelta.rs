//! Adadelta: Zeiler 2012, <https://docs.pytorch.org/docs/stable/generated/torch.optim.Adadelta.html>.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext, check_non_negative};
use crate::kernels::real::{PerElement, Real, Updated};
use crate::registry::KeyError;

/// `v ← ρ v + (1 - ρ) g²`, `Δ = √(u + eps) / √(v + eps) · g`, `u ← ρ u + (1 - ρ) Δ²`, `p ← p - lr Δ`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adadelta {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Decay rate ρ of the running means.
    #[schemars(range(min = 0, max = 1))]
    pub rho: f64,
    /// Added under both square roots for numerical stability.
    #[schemars(range(min = 0))]
    pub eps: f64,
    /// Weight decay: this times the weight is added to the gradient.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for Adadelta {
    fn default() -> Self {
        Self { lr: 1.0, rho: 0.9, eps: 1e-6, weight_decay: 0.0, maximize: false }
    }
}

/// The places of the state, by torch's names.
const SQUARE_AVG: usize = 0;
const ACC_DELTA: usize = 1;

/// The arithmetic of one step.
#[derive(Debug)]
pub struct Formula {
    rho: f64,
    eps: f64,
    lr: f64,
}

impl PerElement for Formula {
    const NAME: &str = "adadelta";
    const SLOTS: RangeInclusive<usize> = 2..=2;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        let mean = |old: R, x: R| old.scale(self.rho) + (x * x).scale(1.0 - self.rho);
        slots[SQUARE_AVG] = mean(slots[SQUARE_AVG], g);
        let delta = slots[ACC_DELTA].shift(self.eps).root() / slots[SQUARE_AVG].shift(self.eps).root() * g;
        slots[ACC_DELTA] = mean(slots[ACC_DELTA], delta);
        Updated { param: p - delta.scale(self.lr), slots }
    }
}

impl Hyperparameters for Adadelta {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: self.weight_decay, decoupled: false, maximize: self.maximize }
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        vec![Slot::zero("square_avg"), Slot::zero("acc_delta")]
    }

    fn check(&self) -> Result<(), KeyError> {
        if !(0.0..=1.0).contains(&self.rho) {
            return Err(KeyError::new("rho", format!("is {}; it must lie between 0 and 1", self.rho)));
        }
        check_non_negative(&[("eps", self.eps)])
    }
}

impl ElementwiseRule for Adadelta {
    type Formula = Formula;

    fn formula(&self, at: StepContext) -> Formula {
        Formula { rho: self.rho, eps: self.eps, lr: at.lr }
    }
}
