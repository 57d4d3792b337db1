//! RMSprop: Hinton's lecture 6, <https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html>.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext, check_non_negative};
use crate::kernels::real::{PerElement, Real, Updated};
use crate::registry::KeyError;

/// `v ← α v + (1 - α) g²`, `p ← p - lr g / (√v + eps)`; centered: with `v - ḡ²` under the root; with momentum
/// `b ← μ b + g / (√v + eps)`, `p ← p - lr b`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Decay rate α of the running mean of squared gradients.
    #[schemars(range(min = 0))]
    pub alpha: f64,
    /// Added to the denominator for numerical stability.
    #[schemars(range(min = 0))]
    pub eps: f64,
    /// Weight decay: this times the weight is added to the gradient.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Momentum factor μ.
    #[schemars(range(min = 0))]
    pub momentum: f64,
    /// Normalise by an estimate of the gradient's standard deviation instead of its root mean square.
    pub centered: bool,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            lr: 1e-2,
            alpha: 0.99,
            eps: 1e-8,
            weight_decay: 0.0,
            momentum: 0.0,
            centered: false,
            maximize: false,
        }
    }
}

/// The places of the state, by torch's names.
const SQUARE_AVG: usize = 0;
const GRAD_AVG: usize = 1;

/// The arithmetic of one step.
#[derive(Debug)]
pub struct Formula {
    lr: f64,
    alpha: f64,
    eps: f64,
    momentum: f64,
    centered: bool,
}

impl PerElement for Formula {
    const NAME: &str = "rmsprop";
    const SLOTS: RangeInclusive<usize> = 1..=3;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        let Self { lr, alpha, eps, momentum, centered } = *self;
        slots[SQUARE_AVG] = slots[SQUARE_AVG].scale(alpha) + (g * g).scale(1.0 - alpha);
        let mut v = slots[SQUARE_AVG];
        if centered && S > 1 {
            // torch's lerp
            slots[GRAD_AVG] = slots[GRAD_AVG] + (g - slots[GRAD_AVG]).scale(1.0 - alpha);
            v = v - slots[GRAD_AVG] * slots[GRAD_AVG];
        }
        let mut direction = g / v.root().shift(eps);
        if S > if centered { 2 } else { 1 } {
            let buffer = slots[S - 1];
            // A cycle may pass through 0, where torch leaves the buffer as it is.
            let moves = momentum > 0.0;
            let moved = R::when(moves, || buffer.scale(momentum) + direction, || direction);
            slots[S - 1] = R::when(moves, || moved, || buffer);
            direction = moved;
        }
        Updated { param: p - direction.scale(lr), slots }
    }
}

impl Hyperparameters for RmsProp {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: self.weight_decay, decoupled: false, maximize: self.maximize }
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        let wanted =
            [("square_avg", true), ("grad_avg", self.centered), ("momentum_buffer", self.momentum > 0.0)];
        wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(name, _)| Slot::zero(name)).collect()
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.momentum)
    }

    fn check(&self) -> Result<(), KeyError> {
        check_non_negative(&[("alpha", self.alpha), ("eps", self.eps), ("momentum", self.momentum)])
    }
}

impl ElementwiseRule for RmsProp {
    type Formula = Formula;

    fn formula(&self, at: StepContext) -> Formula {
        let Self { alpha, eps, momentum, centered, .. } = *self;
        Formula { lr: at.lr, alpha, eps, momentum, centered }
    }
}
