//! The mean absolute error, <https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reduction;
use super::elementwise::Elementwise;
use crate::kernels::pairwise::Pairwise;
use crate::kernels::real::Real;

/// `|x - y|`, averaged over rows and values. The gradient at x = y is 0, as in torch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct L1 {
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Pairwise for L1 {
    #[inline(always)]
    fn apply<R: Real>(&self, x: R, y: R, _: R) -> (R, R) {
        let difference = x - y;
        (difference.magnitude(), difference.sign())
    }
}

impl Elementwise for L1 {
    fn standardizes(&self) -> bool {
        true
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }
}
