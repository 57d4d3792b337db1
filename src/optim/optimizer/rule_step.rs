//! A rule at one update.

use crate::kernels::Accumulate;
use crate::kernels::update::GradTransform;
use crate::optim::{Clipping, Common, Rule, StepContext};

/// The factors of some parameters at one update.
#[derive(Clone, Copy)]
pub(super) struct RuleFactors {
    /// Their [`Param::gain`](crate::nn::Param::gain).
    pub(super) gain: f64,
    /// That of weight decay, by the schedule.
    pub(super) weight_decay: f64,
}

/// The transformation of gradient and weight before a rule with the learning rate `lr`, for parameters with these factors.
pub(super) fn transform<'a>(
    rule: &Rule,
    lr: f64,
    clipping: Clipping<'a>,
    factors: RuleFactors,
) -> GradTransform<'a> {
    let Common { weight_decay, decoupled, maximize, .. } = rule.common();
    let (gain, weight_decay) = (factors.gain, weight_decay * factors.weight_decay);
    GradTransform {
        scale: if maximize { -clipping.scale } else { clipping.scale } / gain,
        clamp: clipping.clamp,
        coupled: if decoupled { 0.0 } else { weight_decay * gain },
        keep: if decoupled { 1.0 - lr * weight_decay } else { 1.0 },
        condition: clipping.condition,
    }
}

/// A rule at one update.
pub(super) struct RuleStep<'a> {
    pub(super) transform: GradTransform<'a>,
    pub(super) step: StepContext,
}

impl RuleStep<'_> {
    /// Whether weights decay.
    #[allow(clippy::float_cmp, reason = "1 where there is no decay")]
    pub(super) fn decays(&self) -> bool {
        self.transform.coupled != 0.0 || self.transform.keep != 1.0
    }

    /// The coefficients of plain descent for the product that makes a gradient: `p ← keep p - lr (scale g + coupled
    /// p)`.
    pub(super) fn plain_descent(&self) -> Accumulate {
        let Self { transform, step: StepContext { lr, .. } } = self;
        Accumulate { alpha: -lr * transform.scale, beta: transform.keep - lr * transform.coupled }
    }
}
