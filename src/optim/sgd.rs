//! Stochastic gradient descent with momentum, <https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html>.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext, check_non_negative};
use crate::kernels::real::{PerElement, Real, Updated};
use crate::registry::KeyError;

/// `b ← μ b + (1 - d) g`, `p ← p - lr b`; with Nesterov `p ← p - lr (g + μ b)`. The first b is g, whatever d.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Momentum factor μ.
    #[schemars(range(min = 0))]
    pub momentum: f64,
    /// Dampening d of the momentum.
    pub dampening: f64,
    /// Weight decay: this times the weight is added to the gradient.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Use Nesterov momentum.
    pub nesterov: bool,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, maximize: false }
    }
}

/// The places of the state, by torch's names.
const MOMENTUM_BUFFER: usize = 0;

/// The arithmetic of one step.
#[derive(Debug)]
pub struct Formula {
    lr: f64,
    momentum: f64,
    dampening: f64,
    nesterov: bool,
    first: bool,
}

impl PerElement for Formula {
    const NAME: &str = "sgd";
    const SLOTS: RangeInclusive<usize> = 0..=1;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        let Self { lr, momentum, dampening, nesterov, first } = *self;
        let mut direction = g;
        if S > 0 {
            let buffer = slots[MOMENTUM_BUFFER];
            let moved = || buffer.scale(momentum) + g.scale(1.0 - dampening);
            // A cycle may pass through 0, where torch leaves the buffer as it is.
            let still = momentum == 0.0;
            slots[MOMENTUM_BUFFER] = R::when(still, || buffer, || R::when(first, || g, moved));
            let ahead = || {
                R::when(nesterov, || g + slots[MOMENTUM_BUFFER].scale(momentum), || slots[MOMENTUM_BUFFER])
            };
            direction = R::when(still, || g, ahead);
        }
        Updated { param: p - direction.scale(lr), slots }
    }
}

impl Hyperparameters for Sgd {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: self.weight_decay, decoupled: false, maximize: self.maximize }
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        if self.momentum == 0.0 { Vec::new() } else { vec![Slot::zero("momentum_buffer")] }
    }

    fn is_plain_descent(&self) -> bool {
        self.momentum == 0.0
    }

    fn has_step(&self) -> bool {
        false
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.momentum)
    }

    fn check(&self) -> Result<(), KeyError> {
        check_non_negative(&[("momentum", self.momentum)])?;
        if !self.dampening.is_finite() {
            return Err(KeyError::new("dampening", "must be a finite number"));
        }
        if self.nesterov && (self.momentum == 0.0 || self.dampening != 0.0) {
            return Err(KeyError::new(
                "nesterov",
                "needs a `momentum` greater than 0 and a `dampening` of 0",
            ));
        }
        Ok(())
    }
}

impl ElementwiseRule for Sgd {
    type Formula = Formula;

    fn formula(&self, at: StepContext) -> Formula {
        let Self { momentum, dampening, nesterov, .. } = *self;
        Formula { lr: at.lr, momentum, dampening, nesterov, first: at.t == 1 }
    }
}
