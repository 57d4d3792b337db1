//! The meaning of a network's outputs to its loss.

use candle_core::{D, Tensor};

use super::variance::Variance;
use crate::error::Result;
use crate::kernels::Activation;
use crate::kernels::activation;

/// The meaning of the network's values (N, K).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkOutput {
    /// Logits of classes: their softmax is the probabilities.
    ClassLogits,
    /// A logit for each label: its sigmoid is the probability.
    LabelLogits,
    /// Logits of a distribution whose targets are log-probabilities.
    LogProbabilities,
    /// Values as the targets are.
    Values,
    /// Logarithms of values.
    LogValues,
    /// Means (N, K / 2), followed by the outputs from which the variances are computed.
    MeanAndVariance(Variance),
}

impl NetworkOutput {
    /// The predictions in the targets' terms: probabilities or values.
    pub fn predict(self, outputs: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::ClassLogits => candle_nn::ops::softmax(outputs, D::Minus1)?,
            Self::LabelLogits => activation::forward(Activation::Sigmoid, outputs)?,
            Self::LogProbabilities => candle_nn::ops::softmax(outputs, D::Minus1)?.log()?,
            Self::Values => outputs.clone(),
            Self::LogValues => outputs.exp()?,
            Self::MeanAndVariance(_) => outputs.narrow(D::Minus1, 0, outputs.dims()[1] / 2)?,
        })
    }

    /// The standard deviations (N, K / 2) around the predictions, where the network gives some.
    pub fn deviation(self, outputs: &Tensor) -> Result<Option<Tensor>> {
        let Self::MeanAndVariance(variance) = self else { return Ok(None) };
        let targets = outputs.dims()[1] / 2;
        let variance = variance.of(&outputs.narrow(D::Minus1, targets, targets)?)?;
        Ok(Some(variance.sqrt()?))
    }

    /// Whether the network gives standard deviations.
    pub fn has_deviation(self) -> bool {
        matches!(self, Self::MeanAndVariance(_))
    }
}
