//! The negative log-likelihood of a normal distribution,
//! <https://docs.pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html>.

use candle_core::{D, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elementwise::check_positive;
use super::{Loss, NetworkOutput, Reduction, numbers_of};
use crate::data::Task;
use crate::error::Result;
use crate::kernels::autograd::vjp;
use crate::kernels::{Scalar, ValueAndGrad};
use crate::registry::KeyError;
use crate::registry::schema::positive;

pub use super::variance::Variance;

/// `½ (log v + (m - y)² / v)`, averaged over rows and values. The network gives 2 K numbers for K targets: the means m,
/// then the numbers from which `variance` computes the variances v.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianNll {
    /// The conversion of the network's outputs to variances.
    pub variance: Variance,
    /// Whether the constant `½ log 2π` is added.
    pub full: bool,
    /// The smallest variance.
    #[schemars(transform = positive)]
    pub eps: f64,
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Default for GaussianNll {
    fn default() -> Self {
        Self { variance: Variance::Exp, full: false, eps: 1e-6, reduction: Reduction::Mean }
    }
}

impl GaussianNll {
    /// The sum over all values, of the network's numbers (N, 2K) and targets (N, K).
    fn sum(&self, outputs: &Tensor, ys: &Tensor, rows: Option<&Tensor>) -> candle_core::Result<Tensor> {
        let targets = ys.dim(D::Minus1)?;
        let mean = outputs.narrow(D::Minus1, 0, targets)?;
        let s = outputs.narrow(D::Minus1, targets, targets)?;
        let variance = self.variance.of(&s)?;
        // As in torch the limit moves the value and leaves the gradient.
        let limited = variance.detach().maximum(self.eps)?;
        let variance = (&variance + (limited - variance.detach())?)?;
        let constant = if self.full { (2.0 * std::f64::consts::PI).ln() } else { 0.0 };
        let terms = ((variance.log()? + (mean - ys)?.sqr()?.div(&variance)?)? + constant)?;
        let terms = match rows {
            Some(rows) => terms.broadcast_mul(&rows.to_dtype(terms.dtype())?.unsqueeze(1)?)?,
            None => terms,
        };
        terms.sum_all()? * 0.5
    }
}

impl Loss for GaussianNll {
    fn task(&self) -> Task {
        Task::Values
    }

    fn check(&self) -> Result<(), KeyError> {
        check_positive("eps", self.eps)
    }

    fn width(&self, outputs: usize) -> usize {
        2 * outputs
    }

    fn standardizes(&self) -> bool {
        true
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn weighted_total(&self, ys: &Tensor, rows: Option<&Tensor>) -> Result<f64> {
        numbers_of(ys, rows)
    }

    fn weighted_value_and_grad(
        &self,
        outputs: &Tensor,
        ys: &Tensor,
        rows: Option<&Tensor>,
        divisor: f64,
    ) -> Result<ValueAndGrad> {
        let sum = self.sum(outputs, ys, rows)?;
        let grads = vjp(&[outputs], &sum.ones_like()?, |x| self.sum(&x[0], ys, rows))?;
        Ok(ValueAndGrad { value: Scalar::of(&sum)?, grad: (&grads[0] / divisor)? })
    }

    fn output(&self) -> NetworkOutput {
        NetworkOutput::MeanAndVariance(self.variance)
    }
}
