//! The negative log-likelihood of counts, <https://docs.pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elementwise::{Elementwise, check_positive};
use super::{NetworkOutput, Reduction};
use crate::error::Result;
use crate::kernels::pairwise::Pairwise;
use crate::kernels::real::Real;
use crate::registry::KeyError;
use crate::registry::schema::positive;

/// `e^x - y x`, or `x - y log(x + eps)` where the network gives the rate itself; averaged over rows and values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PoissonNll {
    /// Whether the network gives the logarithm of the rate.
    pub log_input: bool,
    /// Whether Stirling's term of the target, `y log y - y + ½ log 2πy` where y > 1, is added.
    pub full: bool,
    /// Added to the rate before the logarithm.
    #[schemars(transform = positive)]
    pub eps: f64,
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Default for PoissonNll {
    fn default() -> Self {
        Self { log_input: true, full: false, eps: 1e-8, reduction: Reduction::Mean }
    }
}

impl Pairwise for PoissonNll {
    #[inline(always)]
    fn apply<R: Real>(&self, x: R, y: R, _: R) -> (R, R) {
        let (mut value, slope) = if self.log_input {
            let rate = x.exponential();
            (rate - y * x, rate - y)
        } else {
            let rate = x.shift(self.eps);
            (x - y * rate.logarithm(), x.constant(1.0) - y / rate)
        };
        if self.full {
            let stirling = y * y.logarithm() - y + y.scale(2.0 * std::f64::consts::PI).logarithm().scale(0.5);
            value = value + y.shift(-1.0).if_positive(stirling, y.constant(0.0));
        }
        (value, slope)
    }
}

impl Elementwise for PoissonNll {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self) -> Result<(), KeyError> {
        check_positive("eps", self.eps)
    }

    fn target_minimum(&self) -> Option<f64> {
        Some(0.0)
    }

    fn output(&self) -> NetworkOutput {
        if self.log_input { NetworkOutput::LogValues } else { NetworkOutput::Values }
    }
}
