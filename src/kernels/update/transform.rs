//! The transformation of a gradient before an optimizer's rule.

use crate::kernels::cuda::SkipFlag;
use crate::kernels::real::Real;

/// Evaluated on the device when the update runs: whether to apply it, and a further gradient scale.
pub type Condition<'a> = SkipFlag<'a>;

/// The transformation of gradient and weight before a rule: clipping, `maximize` and weight decay.
#[derive(Debug, Clone, Copy)]
pub struct GradTransform<'a> {
    /// The gradient is clamped to `[-clamp, clamp]`; infinity leaves it as it is.
    pub clamp: f64,
    /// Then multiplied by this: the clipping coefficient, negative to maximise.
    pub scale: f64,
    /// This times the weight is added to the gradient: coupled weight decay.
    pub coupled: f64,
    /// The weight is multiplied by this: decoupled weight decay.
    pub keep: f64,
    /// Decides whether the update is made, where that is not known yet.
    pub condition: Option<Condition<'a>>,
}

impl GradTransform<'_> {
    /// The identity.
    pub const NONE: GradTransform<'static> =
        GradTransform { clamp: f64::INFINITY, scale: 1.0, coupled: 0.0, keep: 1.0, condition: None };

    #[inline(always)]
    pub(super) fn apply<R: Real>(&self, p: R, g: R) -> (R, R) {
        let g = if self.clamp.is_finite() { g.clamp_to(self.clamp) } else { g };
        self.apply_to_clamped(p, g)
    }

    /// As [`Self::apply`], to a gradient that is clamped already.
    #[inline(always)]
    pub(super) fn apply_to_clamped<R: Real>(&self, p: R, g: R) -> (R, R) {
        (p.scale(self.keep), g.scale(self.scale) + p.scale(self.coupled))
    }
}
