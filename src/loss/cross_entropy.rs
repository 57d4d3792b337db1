//! Cross-entropy of logits and class numbers,
//! <https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::Loss;
use crate::data::Want;
use crate::error::Result;
use crate::kernels::cross_entropy::{Weighting, value_and_grad};
use crate::registry::KeyError;

/// `-w_y log softmax(x)_y`, averaged with the weights: the mean is over `Σ w_y`, as in torch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrossEntropy {
    /// A weight for each class.
    pub weight: Option<Vec<f64>>,
    /// This share of every target is spread over all classes.
    pub label_smoothing: f64,
    /// Rows with this target count for nothing.
    pub ignore_index: i64,
}

impl Default for CrossEntropy {
    fn default() -> Self {
        Self { weight: None, label_smoothing: 0.0, ignore_index: -100 }
    }
}

impl CrossEntropy {
    fn weighting(&self) -> Weighting<'_> {
        Weighting {
            class_weight: self.weight.as_deref(),
            label_smoothing: self.label_smoothing,
            ignore_index: self.ignore_index,
        }
    }
}

impl Loss for CrossEntropy {
    fn want(&self) -> Want {
        Want::Classes { ignored: self.ignore_index }
    }

    fn check(&self) -> Result<(), KeyError> {
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            let problem = format!("is {}; it is a share, 0 to 1", self.label_smoothing);
            return Err(KeyError::new("label_smoothing", problem));
        }
        if self.weight.as_ref().is_some_and(|weight| weight.iter().all(|w| *w == 0.0)) {
            return Err(KeyError::new("weight", "has no class that counts; one must be greater than 0"));
        }
        match self.weight.iter().flatten().position(|w| !w.is_finite() || *w < 0.0) {
            Some(at) => Err(KeyError::new(format!("weight[{at}]"), "is not a finite number of 0 or more")),
            None => Ok(()),
        }
    }

    fn check_outputs(&self, outputs: usize) -> Result<(), KeyError> {
        match &self.weight {
            Some(weight) if weight.len() != outputs => {
                let problem = format!("has {} numbers for {outputs} classes; give one a class", weight.len());
                Err(KeyError::new("weight", problem))
            }
            _ => Ok(()),
        }
    }

    fn total(&self, ys: &Tensor) -> Result<f64> {
        Ok(self.weighting().total(ys)?)
    }

    fn value_and_grad(&self, predictions: &Tensor, ys: &Tensor, total: f64) -> Result<(f64, Tensor)> {
        Ok(value_and_grad(predictions, ys, &self.weighting(), total)?)
    }
}
