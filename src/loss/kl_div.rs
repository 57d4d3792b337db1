//! The Kullback-Leibler divergence, <https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html>.

use candle_core::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loss, NetworkOutput, Reduction, first_not, numbers_of, rows_of};
use crate::data::Task;
use crate::error::Result;
use crate::kernels::ValueAndGrad;
use crate::kernels::cross_entropy::{Weighting, value_and_grad_of_shares};
use crate::kernels::pairwise::{self, Pairwise};
use crate::kernels::real::Real;
use crate::registry::KeyError;

/// `y (log y - x)` of log-probabilities x and a distribution y in each row, averaged over rows and values. torch leaves
/// the log-softmax to the network's last layer; here it is part of the loss, unless `from_logits` is false and the
/// network's values are taken as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KlDiv {
    /// Whether the network gives logits, to which log-softmax is applied first.
    pub from_logits: bool,
    /// Whether the targets are logarithms of probabilities.
    pub log_target: bool,
    /// The reduction of the losses for the gradient.
    pub reduction: KlReduction,
}

/// torch's reductions of the divergence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KlReduction {
    /// The mean over rows and values.
    #[default]
    Mean,
    /// The mean over rows, which is the divergence's definition.
    Batchmean,
    /// The sum.
    Sum,
}

impl Default for KlDiv {
    fn default() -> Self {
        Self { from_logits: true, log_target: false, reduction: KlReduction::Mean }
    }
}

impl Pairwise for KlDiv {
    #[inline(always)]
    fn apply<R: Real>(&self, x: R, y: R, _: R) -> (R, R) {
        if self.log_target {
            let target = y.exponential();
            return (target * (y - x), -target);
        }
        (y.if_positive(y * (y.logarithm() - x), -(y * x)), -y)
    }
}

impl Loss for KlDiv {
    fn task(&self) -> Task {
        Task::Values
    }

    fn check(&self) -> Result<(), KeyError> {
        Ok(())
    }

    fn check_targets(&self, ys: &Tensor) -> Result<Option<String>> {
        let wrong = first_not(ys, |y| self.log_target || y >= 0.0)?;
        Ok(wrong.map(|y| {
            format!("its targets are probabilities, and the data has {y}; are they logarithms? Then set `loss.log_target`")
        }))
    }

    fn reduction(&self) -> Reduction {
        if self.reduction == KlReduction::Sum { Reduction::Sum } else { Reduction::Mean }
    }

    fn weighted_total(&self, ys: &Tensor, rows: Option<&Tensor>) -> Result<f64> {
        if self.reduction == KlReduction::Batchmean { rows_of(ys, rows) } else { numbers_of(ys, rows) }
    }

    fn weighted_value_and_grad(
        &self,
        outputs: &Tensor,
        ys: &Tensor,
        rows: Option<&Tensor>,
        divisor: f64,
    ) -> Result<ValueAndGrad> {
        if !self.from_logits {
            return Ok(pairwise::weighted_value_and_grad(self, outputs, ys, rows, divisor)?);
        }
        // Σ y (log y - x) = Σ y log y - Σ y x: the cross-entropy and what does not depend on the network.
        let entropy = pairwise::weighted_value_and_grad(self, &ys.zeros_like()?, ys, rows, 1.0)?.value;
        let shares = if self.log_target { ys.exp()? } else { ys.clone() };
        let how = Weighting { class_weight: None, label_smoothing: 0.0, ignore_index: -100 };
        let ValueAndGrad { value, grad } = value_and_grad_of_shares(outputs, &shares, &how, rows, divisor)?;
        Ok(ValueAndGrad { value: value.plus(entropy)?, grad })
    }

    fn output(&self) -> NetworkOutput {
        if self.log_target { NetworkOutput::LogProbabilities } else { NetworkOutput::ClassLogits }
    }
}
