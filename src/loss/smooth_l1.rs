//! The smooth absolute error, <https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reduction;
use super::elementwise::Elementwise;
use crate::kernels::pairwise::Pairwise;
use crate::kernels::real::Real;
use crate::registry::KeyError;

/// `(x - y)² / 2β` where `|x - y| < β`, else `|x - y| - β / 2`, averaged over rows and values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SmoothL1 {
    /// β: the loss is linear beyond this distance; 0: everywhere, as `l1`.
    #[schemars(range(min = 0))]
    pub beta: f64,
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Default for SmoothL1 {
    fn default() -> Self {
        Self { beta: 1.0, reduction: Reduction::Mean }
    }
}

impl Pairwise for SmoothL1 {
    #[inline(always)]
    fn apply<R: Real>(&self, x: R, y: R, _: R) -> (R, R) {
        let difference = x - y;
        let size = difference.magnitude();
        if self.beta == 0.0 {
            return (size, difference.sign());
        }
        let inside = (-size).shift(self.beta);
        (
            inside.if_positive((size * size).scale(0.5 / self.beta), size.shift(-0.5 * self.beta)),
            inside.if_positive(difference.scale(1.0 / self.beta), difference.sign()),
        )
    }
}

impl Elementwise for SmoothL1 {
    fn standardizes(&self) -> bool {
        true
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self) -> Result<(), KeyError> {
        if self.beta.is_finite() && self.beta >= 0.0 {
            return Ok(());
        }
        Err(KeyError::new("beta", format!("is {}; it must be a finite number, 0 or more", self.beta)))
    }
}
