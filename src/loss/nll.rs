//! The negative log-likelihood of classes, <https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html>.

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

/// `-w_y x_y` of log-probabilities x, averaged over `Σ w_y`. torch leaves the log-softmax to the network's last layer;
/// here it is part of the loss, unless `from_logits` is false and the network's values are taken as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Nll {
    /// Whether the network gives logits, to which log-softmax is applied first.
    pub from_logits: bool,
    /// A weight for each class: a list in their order, or by name, where those that are not named weigh 1.
    pub weight: Option<Weights>,
    /// "balanced": every class gets the same total weight.
    pub class_weight: Option<ClassWeight>,
    /// Rows with this target are ignored.
    pub ignore_index: i64,
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Default for Nll {
    fn default() -> Self {
        Self {
            from_logits: true,
            weight: None,
            class_weight: None,
            ignore_index: -100,
            reduction: Reduction::Mean,
        }
    }
}

impl OfLikelihood for Nll {
    fn apply(&self, log_probability: f64, class: usize) -> (f64, f64) {
        let weight = self.weights().map_or(1.0, |weights| weights[class]);
        (-weight * log_probability, -weight)
    }

    fn gamma(&self) -> f64 {
        0.0
    }

    fn weights(&self) -> Option<&[f64]> {
        self.weight.as_ref().and_then(Weights::list)
    }
}

impl Loss for Nll {
    fn task(&self) -> Task {
        Task::Classes { ignored: self.ignore_index, probabilities: false }
    }

    fn check(&self) -> Result<(), KeyError> {
        class_weight::check(self.weight.as_ref(), self.class_weight)
    }

    fn check_outputs(&self, outputs: usize) -> Result<(), KeyError> {
        class_weight::check_count(self.weight.as_ref(), outputs, self.ignore_index)
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn weighted_total(&self, ys: &Tensor, rows: Option<&Tensor>) -> Result<f64> {
        let (class_weight, ignore_index) = (self.weight.as_ref().and_then(Weights::list), self.ignore_index);
        Ok(Weighting { class_weight, label_smoothing: 0.0, ignore_index }.total(ys, rows)?)
    }

    fn weighted_value_and_grad(
        &self,
        outputs: &Tensor,
        ys: &Tensor,
        rows: Option<&Tensor>,
        divisor: f64,
    ) -> Result<ValueAndGrad> {
        let scores = Scores { values: outputs, are_normalized: !self.from_logits };
        let targets = LikelihoodTargets { classes: ys, ignored: self.ignore_index, rows };
        Ok(value_and_grad_of_likelihood(self, scores, &targets, divisor)?)
    }

    fn output(&self) -> NetworkOutput {
        NetworkOutput::ClassLogits
    }

    fn fitted(&self, classes: &TrainingClasses<'_>) -> Result<Option<Losses>, KeyError> {
        let weight = class_weight::fit(self.weight.as_ref(), self.class_weight, classes)?;
        Ok(Some(Losses::Nll(Self { weight, class_weight: None, ..self.clone() })))
    }
}
