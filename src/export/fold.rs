//! Linear layers with the BatchNorm behind them folded in.

use super::model::{TrainedModel, Weights};
use crate::error::Result;
use crate::nn::Op;

/// A linear layer that may be scaled before it is written.
pub(super) struct Linear {
    pub(super) weight: Weights,
    pub(super) bias: Weights,
}

impl Linear {
    /// Folds what follows into the layer.
    pub(super) fn scale(&mut self, scaling: &Scaling) {
        let inputs = self.weight.shape[1].max(1);
        for (row, factor) in self.weight.values.chunks_mut(inputs).zip(&scaling.factor) {
            for weight in row {
                *weight = narrow(f64::from(*weight) * factor);
            }
        }
        self.bias.values = scaling.of_bias(&self.bias.values);
    }
}

/// `x · factor + term` per channel.
pub(super) struct Scaling {
    pub(super) factor: Vec<f64>,
    pub(super) term: Vec<f64>,
}

impl Scaling {
    /// What a BatchNorm does in evaluation.
    pub(super) fn of(model: &TrainedModel, op: &Op) -> Result<Self> {
        let Op::BatchNorm { weight, bias, running_mean, running_var, eps, .. } = op else {
            return Ok(Self { factor: Vec::new(), term: Vec::new() });
        };
        let vector = |name: &str| -> Result<Vec<f64>> {
            Ok(model.tensor(name)?.values.into_iter().map(f64::from).collect())
        };
        let (weight, bias) = (vector(weight)?, vector(bias)?);
        let (mean, variance) = (vector(running_mean)?, vector(running_var)?);
        let factor: Vec<f64> = weight.iter().zip(&variance).map(|(w, v)| w / (v + eps).sqrt()).collect();
        let term = bias.iter().zip(mean.iter().zip(&factor)).map(|(b, (m, f))| b - m * f).collect();
        Ok(Self { factor, term })
    }

    /// The bias of the layer before it with this folded in.
    pub(super) fn of_bias(&self, bias: &[f32]) -> Vec<f32> {
        let parts = bias.iter().zip(self.factor.iter().zip(&self.term));
        parts.map(|(bias, (factor, term))| narrow(f64::from(*bias) * factor + term)).collect()
    }
}

#[allow(clippy::cast_possible_truncation, reason = "weights are f32")]
pub(super) fn narrow(number: f64) -> f32 {
    number as f32
}

pub(super) fn narrowed(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|number| narrow(*number)).collect()
}
