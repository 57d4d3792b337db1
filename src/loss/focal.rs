//! The focal loss, which gives misclassified rows more weight: Lin et al. 2017, <https://arxiv.org/abs/1708.02002>.

use candle_core::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClassWeight, Loss, Losses, NetworkOutput, Reduction, TrainingClasses, Weights, class_weight};
use crate::data::Task;
use crate::error::Result;
use crate::kernels::ValueAndGrad;
use crate::kernels::cross_entropy::{
    LikelihoodTargets, OfLikelihood, Scores, Weighting, value_and_grad_of_likelihood,
};
use crate::registry::KeyError;

/// `-w_y (1 - p)^γ log p` with `p = softmax(x)_y`, averaged over the rows. torch does not have it for several classes;
/// with γ = 0 and no weights it is the cross-entropy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Focal {
    /// γ: how strongly the weight of well-classified rows is reduced.
    #[schemars(range(min = 0))]
    pub gamma: f64,
    /// A weight for each class, the paper's α: a list in their order, or by name, where those that are not named weigh 1.
    pub weight: Option<Weights>,
    /// "balanced": every class gets the same total weight.
    pub class_weight: Option<ClassWeight>,
    /// Rows with this target are ignored.
    pub ignore_index: i64,
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Default for Focal {
    fn default() -> Self {
        Self { gamma: 2.0, weight: None, class_weight: None, ignore_index: -100, reduction: Reduction::Mean }
    }
}

impl OfLikelihood for Focal {
    fn apply(&self, log_probability: f64, class: usize) -> (f64, f64) {
        let weight = self.weights().map_or(1.0, |weights| weights[class]);
        // 1 - p without cancellation where p is near 1
        let (p, rest) = (log_probability.exp(), -log_probability.exp_m1());
        let damped = rest.powf(self.gamma);
        let bend = if self.gamma == 0.0 || rest == 0.0 {
            0.0
        } else {
            self.gamma * rest.powf(self.gamma - 1.0) * p * log_probability
        };
        (-weight * damped * log_probability, -weight * (damped - bend))
    }

    fn gamma(&self) -> f64 {
        self.gamma
    }

    fn weights(&self) -> Option<&[f64]> {
        self.weight.as_ref().and_then(Weights::list)
    }
}

impl Loss for Focal {
    fn task(&self) -> Task {
        Task::Classes { ignored: self.ignore_index, probabilities: false }
    }

    fn check(&self) -> Result<(), KeyError> {
        if !self.gamma.is_finite() || self.gamma < 0.0 {
            let problem = format!("is {}; it must be a finite number, 0 or more", self.gamma);
            return Err(KeyError::new("gamma", problem));
        }
        class_weight::check(self.weight.as_ref(), self.class_weight)
    }

    fn check_outputs(&self, outputs: usize) -> Result<(), KeyError> {
        class_weight::check_count(self.weight.as_ref(), outputs, self.ignore_index)
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn weighted_total(&self, ys: &Tensor, rows: Option<&Tensor>) -> Result<f64> {
        let ignore_index = self.ignore_index;
        Ok(Weighting { class_weight: None, label_smoothing: 0.0, ignore_index }.total(ys, rows)?)
    }

    fn has_weight(&self, ys: &Tensor) -> Result<bool> {
        let (class_weight, ignore_index) = (self.weights(), self.ignore_index);
        Ok(Weighting { class_weight, label_smoothing: 0.0, ignore_index }.total(ys, None)? != 0.0)
    }

    fn weighted_value_and_grad(
        &self,
        outputs: &Tensor,
        ys: &Tensor,
        rows: Option<&Tensor>,
        divisor: f64,
    ) -> Result<ValueAndGrad> {
        let scores = Scores { values: outputs, are_normalized: false };
        let targets = LikelihoodTargets { classes: ys, ignored: self.ignore_index, rows };
        Ok(value_and_grad_of_likelihood(self, scores, &targets, divisor)?)
    }

    fn output(&self) -> NetworkOutput {
        NetworkOutput::ClassLogits
    }

    fn fitted(&self, classes: &TrainingClasses<'_>) -> Result<Option<Losses>, KeyError> {
        let weight = class_weight::fit(self.weight.as_ref(), self.class_weight, classes)?;
        Ok(Some(Losses::Focal(Self { weight, class_weight: None, ..self.clone() })))
    }
}
