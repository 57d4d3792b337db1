//! Stochastic gradient descent with momentum, <https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html>.

use candle_core::{Tensor, Var};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, Slot, Step, UpdateRule, check_non_negative};
use crate::error::Result;
use crate::kernels::real::Real;
use crate::kernels::update::{Fused, PerElement, Prelude, update};
use crate::registry::KeyError;

/// `b ← μ b + (1 - d) g`, `p ← p - lr b`; with Nesterov `p ← p - lr (g + μ b)`. The first b is g, whatever d.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// μ: the share of the last direction that is kept.
    #[schemars(range(min = 0))]
    pub momentum: f64,
    /// d: how much less of the gradient joins the direction.
    pub dampening: f64,
    /// This times the weight joins the gradient.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Looks ahead along the direction.
    pub nesterov: bool,
    /// Makes the loss grow.
    pub maximize: bool,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, maximize: false }
    }
}

struct Formula<'a> {
    sgd: &'a Sgd,
    at: Step,
}

impl PerElement for Formula<'_> {
    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> (R, [R; S]) {
        let Self { sgd, at } = self;
        let mut direction = g;
        // A cycle may pass through 0, where torch leaves the buffer as it is.
        if S > 0 && sgd.momentum != 0.0 {
            let moved = slots[0].scale(sgd.momentum) + g.scale(1.0 - sgd.dampening);
            slots[0] = if at.t == 1 { g } else { moved };
            direction = if sgd.nesterov { g + slots[0].scale(sgd.momentum) } else { slots[0] };
        }
        (p - direction.scale(at.lr), slots)
    }

    fn fused(&self) -> Fused {
        let Self { sgd, at } = self;
        let momentum = sgd.momentum;
        let [nesterov, first] = [sgd.nesterov, at.t == 1].map(|yes| f64::from(u8::from(yes)));
        Fused { kernel: "sgd", constants: vec![at.lr, momentum, 1.0 - sgd.dampening, nesterov, first] }
    }
}

impl UpdateRule for Sgd {
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

    fn update(
        &self,
        param: &Var,
        grad: &Tensor,
        slots: &[Var],
        prelude: &Prelude<'_>,
        at: Step,
    ) -> Result<()> {
        Ok(update(&Formula { sgd: self, at }, prelude, param, grad, slots)?)
    }
}
