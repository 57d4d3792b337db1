//! Averaged SGD: Polyak and Juditsky 1992, <https://docs.pytorch.org/docs/stable/generated/torch.optim.ASGD.html>.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext, check_non_negative};
use crate::kernels::real::{PerElement, Real, Updated};
use crate::registry::KeyError;

/// `p ← p (1 - λ η) - η g` with `η = lr / (1 + λ lr t)^α`; `ax` averages p from step t0 on. As in torch, training
/// continues with p.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Asgd {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Decay term λ.
    #[schemars(range(min = 0))]
    pub lambd: f64,
    /// Exponent α in η.
    #[schemars(range(min = 0))]
    pub alpha: f64,
    /// The step at which averaging starts.
    #[schemars(range(min = 0))]
    pub t0: f64,
    /// Weight decay: this times the weight is added to the gradient.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for Asgd {
    fn default() -> Self {
        Self { lr: 1e-2, lambd: 1e-4, alpha: 0.75, t0: 1e6, weight_decay: 0.0, maximize: false }
    }
}

/// The places of the state, by torch's names.
const AX: usize = 0;

/// The arithmetic of one step.
#[derive(Debug)]
pub struct Formula {
    lambd: f64,
    eta: f64,
    mu: f64,
}

impl PerElement for Formula {
    const NAME: &str = "asgd";
    const SLOTS: RangeInclusive<usize> = 1..=1;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        let p = p.scale(1.0 - self.lambd * self.eta) - g.scale(self.eta);
        // Until averaging starts, the average is a bitwise copy of the weight.
        #[allow(clippy::float_cmp, reason = "1 means that averaging has not started")]
        let begun = self.mu != 1.0;
        let average = slots[AX];
        slots[AX] = R::when(begun, || average + (p - average).scale(self.mu), || p);
        Updated { param: p, slots }
    }
}

impl Hyperparameters for Asgd {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: self.weight_decay, decoupled: false, maximize: self.maximize }
    }

    fn scales_with_lr(&self) -> bool {
        false
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        vec![Slot::zero("ax")]
    }

    fn numbers(&self) -> Vec<Slot> {
        vec![Slot::lr("eta"), Slot::new("mu", 1.0)]
    }

    fn advance(&self, numbers: &mut [f64], at: StepContext) {
        numbers[0] = at.lr / (1.0 + self.lambd * at.lr * at.count()).powf(self.alpha);
        numbers[1] = 1.0 / (at.count() - self.t0).max(1.0);
    }

    fn check(&self) -> Result<(), KeyError> {
        check_non_negative(&[("lambd", self.lambd), ("alpha", self.alpha), ("t0", self.t0)])
    }
}

impl ElementwiseRule for Asgd {
    type Formula = Formula;

    fn formula(&self, at: StepContext) -> Formula {
        let [eta, mu] = at.numbers_before;
        Formula { lambd: self.lambd, eta, mu }
    }
}
