//! Cross-entropy of logits and class numbers or probabilities,
//! <https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>.

use candle_core::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ClassWeight, Loss, Losses, NetworkOutput, Reduction, TrainingClasses, Weights, class_weight, first_not,
    rows_of,
};
use crate::data::Task;
use crate::error::Result;
use crate::kernels::ValueAndGrad;
use crate::kernels::cross_entropy::{Weighting, value_and_grad_of_shares, weighted_value_and_grad};
use crate::registry::KeyError;

/// `-w_y log softmax(x)_y`, averaged with the weights: the mean is over `Σ w_y`, as in torch. Where a target is a
/// probability for each class, `-Σ_c w_c y_c log softmax(x)_c`, averaged over the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CrossEntropy {
    /// A weight for each class: a list in their order, or by name, where those that are not named weigh 1.
    pub weight: Option<Weights>,
    /// "balanced": every class gets the same total weight.
    pub class_weight: Option<ClassWeight>,
    /// The fraction of each target that is spread evenly over all classes.
    #[schemars(range(min = 0, max = 1))]
    pub label_smoothing: f64,
    /// Rows with this target are ignored.
    pub ignore_index: i64,
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Default for CrossEntropy {
    fn default() -> Self {
        Self {
            weight: None,
            class_weight: None,
            label_smoothing: 0.0,
            ignore_index: -100,
            reduction: Reduction::Mean,
        }
    }
}

impl CrossEntropy {
    fn weighting(&self) -> Weighting<'_> {
        Weighting {
            class_weight: self.weight.as_ref().and_then(Weights::list),
            label_smoothing: self.label_smoothing,
            ignore_index: self.ignore_index,
        }
    }
}

impl Loss for CrossEntropy {
    fn task(&self) -> Task {
        Task::Classes { ignored: self.ignore_index, probabilities: true }
    }

    fn check(&self) -> Result<(), KeyError> {
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            let problem = format!("is {}; it is a share, 0 to 1", self.label_smoothing);
            return Err(KeyError::new("label_smoothing", problem));
        }
        class_weight::check(self.weight.as_ref(), self.class_weight)
    }

    fn check_outputs(&self, outputs: usize) -> Result<(), KeyError> {
        class_weight::check_count(self.weight.as_ref(), outputs, self.ignore_index)
    }

    fn check_targets(&self, ys: &Tensor) -> Result<Option<String>> {
        if ys.rank() == 1 {
            return Ok(None);
        }
        // What other tools wrote as a probability may be rounded a little too far.
        let wrong = first_not(ys, |y| (-1e-3..=1.001).contains(&y))?;
        let problem = |y| {
            format!(
                "its targets are classes, (N,), or probabilities, (N, C), and the data has {y}; for values take `mse`"
            )
        };
        Ok(wrong.map(problem))
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn weighted_total(&self, ys: &Tensor, rows: Option<&Tensor>) -> Result<f64> {
        if ys.rank() == 2 {
            return rows_of(ys, rows);
        }
        Ok(self.weighting().total(ys, rows)?)
    }

    fn weighted_value_and_grad(
        &self,
        outputs: &Tensor,
        ys: &Tensor,
        rows: Option<&Tensor>,
        divisor: f64,
    ) -> Result<ValueAndGrad> {
        let how = self.weighting();
        if ys.rank() == 2 {
            return Ok(value_and_grad_of_shares(outputs, ys, &how, rows, divisor)?);
        }
        Ok(weighted_value_and_grad(outputs, ys, &how, rows, divisor)?)
    }

    fn output(&self) -> NetworkOutput {
        NetworkOutput::ClassLogits
    }

    fn fitted(&self, classes: &TrainingClasses<'_>) -> Result<Option<Losses>, KeyError> {
        let weight = class_weight::fit(self.weight.as_ref(), self.class_weight, classes)?;
        Ok(Some(Losses::CrossEntropy(Self { weight, class_weight: None, ..self.clone() })))
    }
}
