//! The mean squared error, <https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reduction;
use super::elementwise::Elementwise;
use crate::kernels::pairwise::Pairwise;
use crate::kernels::real::Real;

/// `(x - y)²`, averaged over rows and values.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mse {
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Pairwise for Mse {
    #[inline(always)]
    fn apply<R: Real>(&self, x: R, y: R, _: R) -> (R, R) {
        let difference = x - y;
        (difference * difference, difference.scale(2.0))
    }
}

impl Elementwise for Mse {
    fn standardizes(&self) -> bool {
        true
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }
}
