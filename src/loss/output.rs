//! The meaning of a network's outputs to its loss.

use candle_core::{D, Tensor};

use super::variance::Variance;
use crate::error::{Error, Result};
use crate::kernels::Activation;
use crate::kernels::activation;

/// The outputs (N, K) that stand for the mean of the predictions of several networks, from theirs.
pub type AverageOutputs = fn(&[Tensor]) -> Result<Tensor>;

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

    /// The outputs that stand for the mean of the predictions of several networks: of probabilities, or of values.
    ///
    /// # Errors
    /// Outputs with variances, which have no such mean.
    pub fn average(self) -> Result<AverageOutputs> {
        match self {
            Self::ClassLogits | Self::LogProbabilities => Ok(log_mean_softmax),
            Self::LabelLogits => Ok(mean_label),
            Self::Values => Ok(mean),
            Self::LogValues => Ok(log_mean_exp),
            Self::MeanAndVariance(_) => {
                let problem = "is `gaussian_nll`, whose variances are not averaged; set it to `mse`";
                Err(Error::key("loss.name", problem))
            }
        }
    }

    /// Whether the network gives standard deviations.
    pub fn has_deviation(self) -> bool {
        matches!(self, Self::MeanAndVariance(_))
    }
}

/// The element-wise mean of tensors of one shape.
fn mean(outputs: &[Tensor]) -> Result<Tensor> {
    Ok(Tensor::stack(outputs, 0)?.mean(0)?)
}

/// The logarithm of the mean of numbers whose logarithms these are.
fn log_mean_exp(outputs: &[Tensor]) -> Result<Tensor> {
    let all = Tensor::stack(outputs, 0)?;
    let most = all.max_keepdim(0)?;
    let mean = all.broadcast_sub(&most)?.exp()?.mean_keepdim(0)?;
    Ok((mean.log()? + most)?.squeeze(0)?)
}

/// The logarithm of the mean of the softmax of each: its softmax is the mean of the probabilities.
fn log_mean_softmax(outputs: &[Tensor]) -> Result<Tensor> {
    let logs = outputs.iter().map(|own| Ok(candle_nn::ops::log_softmax(own, D::Minus1)?));
    log_mean_exp(&logs.collect::<Result<Vec<_>>>()?)
}

/// The logit of the mean of the sigmoid of each.
fn mean_label(outputs: &[Tensor]) -> Result<Tensor> {
    // log σ(x) and log σ(-x), each without the loss of digits far from 0.
    let log_sigmoid = |own: &Tensor| -> Result<Tensor> {
        Ok((own.minimum(&own.zeros_like()?)? - (own.abs()?.neg()?.exp()? + 1.0)?.log()?)?)
    };
    let yes = outputs.iter().map(log_sigmoid).collect::<Result<Vec<_>>>()?;
    let no = outputs.iter().map(|own| log_sigmoid(&own.neg()?)).collect::<Result<Vec<_>>>()?;
    Ok((log_mean_exp(&yes)? - log_mean_exp(&no)?)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn averaged_outputs_predict_the_mean_of_the_predictions() {
        let tensor = |values: &[[f64; 2]; 2]| Tensor::new(values, &Device::Cpu).unwrap();
        let all = [
            tensor(&[[1.0, -2.0], [0.0, 50.0]]),
            tensor(&[[-3.0, 0.5], [4.0, -60.0]]),
            tensor(&[[0.1, 0.2], [800.0, 0.0]]),
        ];
        for output in [
            NetworkOutput::ClassLogits,
            NetworkOutput::LabelLogits,
            NetworkOutput::Values,
            NetworkOutput::LogValues,
        ] {
            let all = if output == NetworkOutput::LogValues { &all[..2] } else { &all[..] };
            let each: Vec<Tensor> = all.iter().map(|own| output.predict(own).unwrap()).collect();
            let expected = mean(&each).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let own = output.average().unwrap()(all).unwrap();
            let own = output.predict(&own).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            for (own, expected) in own.iter().zip(&expected) {
                assert!(
                    (own - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                    "{output:?}: {own} {expected}"
                );
            }
        }
    }
}
