//! Binary cross-entropy of logits, <https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html>.

use candle_core::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elementwise::Elementwise;
use super::{Output, Reduction, first_not};
use crate::data::Task;
use crate::error::Result;
use crate::kernels::pairwise::Pairwise;
use crate::kernels::real::Real;
use crate::registry::KeyError;

/// `(1 - y) x + (1 + (pos_weight - 1) y) log(1 + e^-x)` in the form that no logit overflows, averaged over rows and
/// values. A target is 0 or 1, or a probability.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BceWithLogits {
    /// The weight of positive targets, one for each label.
    #[schemars(inner(range(min = 0)))]
    pub pos_weight: Option<Vec<f64>>,
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Pairwise for BceWithLogits {
    #[inline(always)]
    fn apply<R: Real>(&self, x: R, y: R, w: R) -> (R, R) {
        let one = x.constant(1.0);
        let zero = x.constant(0.0);
        let positive = one + (w - one) * y;
        let log = (-x.magnitude()).exponential().log_of_one_plus() + (-x).if_positive(-x, zero);
        ((one - y) * x + positive * log, (one - y) - positive * (-x).sigmoid())
    }

    fn column_weights(&self) -> Option<&[f64]> {
        self.pos_weight.as_deref()
    }
}

impl Elementwise for BceWithLogits {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn want(&self) -> Task {
        Task::Labels
    }

    fn check(&self) -> Result<(), KeyError> {
        match self.pos_weight.iter().flatten().position(|w| !w.is_finite() || *w < 0.0) {
            Some(at) => {
                Err(KeyError::new(format!("pos_weight[{at}]"), "is not a finite number of 0 or more"))
            }
            None => Ok(()),
        }
    }

    fn check_outputs(&self, outputs: usize) -> Result<(), KeyError> {
        match &self.pos_weight {
            Some(weight) if weight.len() != outputs => {
                let problem = format!("has {} numbers for rows of {outputs} targets", weight.len());
                Err(KeyError::new("pos_weight", problem))
            }
            _ => Ok(()),
        }
    }

    fn check_targets(&self, ys: &Tensor) -> Result<Option<String>> {
        let wrong = first_not(ys, |y| (0.0..=1.0).contains(&y))?;
        Ok(wrong.map(|y| format!("its targets lie between 0 and 1, and the data has {y}")))
    }

    fn output(&self) -> Output {
        Output::LabelLogits
    }
}
