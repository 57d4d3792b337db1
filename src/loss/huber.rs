//! Huber's loss: Huber 1964, <https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reduction;
use super::elementwise::{Elementwise, check_positive};
use crate::kernels::pairwise::Pairwise;
use crate::kernels::real::Real;
use crate::registry::KeyError;
use crate::registry::schema::positive;

/// `(x - y)² / 2` where `|x - y| < δ`, else `δ (|x - y| - δ / 2)`, averaged over rows and values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Huber {
    /// δ: the loss is linear beyond this distance.
    #[schemars(transform = positive)]
    pub delta: f64,
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0, reduction: Reduction::Mean }
    }
}

impl Pairwise for Huber {
    #[inline(always)]
    fn apply<R: Real>(&self, x: R, y: R, _: R) -> (R, R) {
        let difference = x - y;
        let size = difference.magnitude();
        let inside = (-size).shift(self.delta);
        (
            inside.if_positive((size * size).scale(0.5), size.shift(-0.5 * self.delta).scale(self.delta)),
            difference.clamp_to(self.delta),
        )
    }
}

impl Elementwise for Huber {
    fn standardizes(&self) -> bool {
        true
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self) -> Result<(), KeyError> {
        check_positive("delta", self.delta)
    }
}
