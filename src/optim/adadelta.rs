//! Adadelta: Zeiler 2012, <https://docs.pytorch.org/docs/stable/generated/torch.optim.Adadelta.html>.

use candle_core::{Tensor, Var};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, Slot, Step, UpdateRule, check_non_negative};
use crate::error::Result;
use crate::kernels::real::Real;
use crate::kernels::update::{Fused, PerElement, Prelude, update};
use crate::registry::KeyError;

/// `v ← ρ v + (1 - ρ) g²`, `Δ = √(u + eps) / √(v + eps) · g`, `u ← ρ u + (1 - ρ) Δ²`, `p ← p - lr Δ`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adadelta {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// ρ: how much of the running means is kept.
    #[schemars(range(min = 0, max = 1))]
    pub rho: f64,
    /// Added inside both roots.
    #[schemars(range(min = 0))]
    pub eps: f64,
    /// This times the weight joins the gradient.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Makes the loss grow.
    pub maximize: bool,
}

impl Default for Adadelta {
    fn default() -> Self {
        Self { lr: 1.0, rho: 0.9, eps: 1e-6, weight_decay: 0.0, maximize: false }
    }
}

struct Formula {
    rho: f64,
    eps: f64,
    lr: f64,
}

impl PerElement for Formula {
    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> (R, [R; S]) {
        let mean = |old: R, x: R| old.scale(self.rho) + (x * x).scale(1.0 - self.rho);
        slots[0] = mean(slots[0], g);
        let delta = slots[1].shift(self.eps).root() / slots[0].shift(self.eps).root() * g;
        slots[1] = mean(slots[1], delta);
        (p - delta.scale(self.lr), slots)
    }

    fn fused(&self) -> Fused {
        Fused { kernel: "adadelta", constants: vec![self.rho, 1.0 - self.rho, self.eps, self.lr] }
    }
}

impl UpdateRule for Adadelta {
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

    fn update(
        &self,
        param: &Var,
        grad: &Tensor,
        slots: &[Var],
        prelude: &Prelude<'_>,
        at: Step,
    ) -> Result<()> {
        let formula = Formula { rho: self.rho, eps: self.eps, lr: at.lr };
        Ok(update(&formula, prelude, param, grad, slots)?)
    }
}
