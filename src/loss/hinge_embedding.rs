//! The hinge loss of distances, <https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html>.

use candle_core::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elementwise::Elementwise;
use super::{Reduction, first_not};
use crate::error::Result;
use crate::kernels::pairwise::Pairwise;
use crate::kernels::real::Real;
use crate::registry::KeyError;

/// `x` where y = 1, `max(0, margin - x)` where y = -1, for distances x of similar and dissimilar pairs. Averaged over
/// rows and values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HingeEmbedding {
    /// The distance beyond which a dissimilar pair has no loss.
    pub margin: f64,
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Default for HingeEmbedding {
    fn default() -> Self {
        Self { margin: 1.0, reduction: Reduction::Mean }
    }
}

impl Pairwise for HingeEmbedding {
    #[inline(always)]
    fn apply<R: Real>(&self, x: R, y: R, _: R) -> (R, R) {
        let (zero, one) = (x.constant(0.0), x.constant(1.0));
        let room = (-x).shift(self.margin);
        // torch's clamp_min has slope 1 at its edge.
        let short = (-room).if_positive(zero, -one);
        (y.if_positive(x, (-room).if_positive(zero, room)), y.if_positive(one, short))
    }
}

impl Elementwise for HingeEmbedding {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self) -> Result<(), KeyError> {
        if self.margin.is_finite() {
            return Ok(());
        }
        Err(KeyError::new("margin", "must be a finite number"))
    }

    #[allow(clippy::float_cmp, reason = "the targets are exactly 1 or -1")]
    fn check_targets(&self, ys: &Tensor) -> Result<Option<String>> {
        let wrong = first_not(ys, |y| y.abs() == 1.0)?;
        Ok(wrong.map(|y| format!("its targets are 1 and -1, and the data has {y}")))
    }
}
