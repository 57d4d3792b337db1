//! LAMB, Adam with a layer-wise trust ratio: You et al. 2020, <https://arxiv.org/abs/1904.00962>.

use std::ops::RangeInclusive;

use candle_core::{Tensor, Var};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adam::{self, EXP_AVG, EXP_AVG_SQ, moments};
use super::{Common, Hyperparameters, Slot, StepContext, UpdateRule, check_non_negative};
use crate::error::Result;
use crate::kernels::norm::sum_of_squares;
use crate::kernels::real::{PerElement, Real, Updated};
use crate::kernels::recorded::Recording;
use crate::kernels::update::{Descend, GradTransform, record, update};
use crate::registry::KeyError;
use crate::registry::schema::below_one;

/// `r = m̂ / (√v̂ + eps) + λ p`, `p ← p - lr ‖p‖ / ‖r‖ · r`, with the norms of each parameter (algorithm 2); the ratio
/// is 1 where one of the norms is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lamb {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Decay rates β₁ and β₂ of the running means.
    #[schemars(transform = below_one)]
    pub betas: [f64; 2],
    /// Added to the denominator for numerical stability.
    #[schemars(range(min = 0))]
    pub eps: f64,
    /// Weight decay λ: this times the weight is added to the update's direction.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

impl Default for Lamb {
    fn default() -> Self {
        Self { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-6, weight_decay: 0.01, maximize: false }
    }
}

/// Writes the direction in place of the weight.
struct LambDirection {
    betas: [f64; 2],
    eps: f64,
    weight_decay: f64,
    /// `1 - β₁ᵗ` and `1 - β₂ᵗ`
    corrections: [f64; 2],
}

impl PerElement for LambDirection {
    const NAME: &str = "lamb";
    const SLOTS: RangeInclusive<usize> = 2..=2;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        moments(&mut slots, g, self.betas);
        let [m, v] = [EXP_AVG, EXP_AVG_SQ].map(|slot| slots[slot].scale(1.0 / self.corrections[slot]));
        Updated { param: m / v.root().shift(self.eps) + p.scale(self.weight_decay), slots }
    }
}

impl Hyperparameters for Lamb {
    /// The weight decay is part of the direction.
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: 0.0, decoupled: false, maximize: self.maximize }
    }

    fn scales_with_lr(&self) -> bool {
        false
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        adam::slots(false)
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.betas[0])
    }

    fn check(&self) -> Result<(), KeyError> {
        check_non_negative(&[("weight_decay", self.weight_decay)])?;
        adam::check(self.betas, self.eps)
    }
}

impl Lamb {
    fn direction(&self, at: StepContext) -> LambDirection {
        let Self { betas, eps, weight_decay, .. } = *self;
        LambDirection { betas, eps, weight_decay, corrections: betas.map(|beta| 1.0 - at.power(beta)) }
    }
}

impl UpdateRule for Lamb {
    fn recordings(&self, at: StepContext, slots: usize) -> Vec<Recording> {
        record(&self.direction(at), slots).into_iter().collect()
    }

    fn update(
        &self,
        param: &Var,
        grad: &Tensor,
        slots: &[Var],
        transform: &GradTransform<'_>,
        at: StepContext,
    ) -> Result<()> {
        let direction = Var::from_tensor(&param.as_detached_tensor().copy()?)?;
        update(&self.direction(at), transform, &direction, grad, slots)?;
        let norms = [param, &direction].map(|var| sum_of_squares(&[var.as_tensor()]).map(f64::sqrt));
        let [weight, length] = norms;
        let (weight, length) = (weight?, length?);
        let trust = if weight > 0.0 && length > 0.0 { weight / length } else { 1.0 };
        Ok(update(
            &Descend(at.lr * trust),
            &GradTransform::NONE,
            param,
            &direction.as_detached_tensor(),
            &[],
        )?)
    }
}
