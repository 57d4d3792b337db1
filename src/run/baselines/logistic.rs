//! Logistic regression: <https://scikit-learn.org/stable/modules/generated/sklearn.linear_model.LogisticRegression.html>.

use candle_core::{D, DType, Device, Tensor};

use super::block::TrainingBlock;
use super::linear::LinearCoefficients;
use super::rows::at_most;
use crate::error::Result;
use crate::optim::lbfgs::{Lbfgs, LineSearch};
use crate::optim::{ClosureEnd, ClosureRule, ClosureState, LossAndGrad};
use crate::stats::real;

/// The meaning of a linear model's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Their softmax is the probability of each class.
    Softmax,
    /// The sigmoid of each is the probability of a label, or of the second of two classes.
    Sigmoid,
}

/// The mean gradient of a row at which the minimum is found.
const TOLERANCE: f64 = 1e-6;
/// The most iterations; scikit-learn's default is 100.
const MAX_ITER: u64 = 200;

/// The most products of a fit: a few seconds.
const PRODUCTS: f64 = 1e10;
/// The most numbers of its rows, which it holds: 200 MB.
const NUMBERS: f64 = 2.5e7;
/// The passes over the rows that it takes about, forth and back.
const PASSES: f64 = 50.0;

/// The most rows of so many inputs and outputs that are fitted.
pub(super) fn most_rows(inputs: usize, outputs: usize) -> usize {
    let products = PASSES * 2.0 * real(inputs) * real(outputs);
    at_most((PRODUCTS / products).min(NUMBERS / real(inputs + outputs)))
}

/// Minimises `Σ w · loss(y, x·β + b) + ½ |β|²`, scikit-learn's with its default `C = 1`; nothing where the loss of the rows
/// is not finite.
pub(super) fn fit(blocks: &[TrainingBlock], link: Link) -> Result<Option<LinearCoefficients>> {
    let Some(first) = blocks.first() else { return Ok(None) };
    let (inputs, outputs) = (first.xs.dims()[1], first.targets.dims()[1]);
    let mut evaluate = |numbers: &[f64]| -> Result<Option<LossAndGrad>> {
        let own = coefficients(numbers, inputs, outputs)?;
        let weight = &numbers[..inputs * outputs];
        let penalty: f64 = weight.iter().map(|number| number * number).sum();
        let (mut loss, mut grad) = (0.5 * penalty, weight.to_vec());
        grad.resize(numbers.len(), 0.0);
        for block in blocks {
            let part = loss_and_grad(block, &own, link)?;
            loss += part.loss;
            grad.iter_mut().zip(part.grad).for_each(|(sum, own)| *sum += own);
        }
        Ok(loss.is_finite().then_some(LossAndGrad { loss, grad }))
    };
    let mut total = 0.0;
    for block in blocks {
        total += block.weights.sum_all()?.to_scalar::<f64>()?;
    }
    let rule = Lbfgs {
        max_iter: MAX_ITER,
        max_eval: Some(2 * MAX_ITER),
        tolerance_grad: TOLERANCE * total.max(real(1)),
        tolerance_change: 1e-12,
        history_size: 10,
        line_search_fn: Some(LineSearch::StrongWolfe),
        ..Lbfgs::default()
    };
    let mut found = vec![0.0; (inputs + 1) * outputs];
    let end = rule.update(&mut found, &mut ClosureState::default(), rule.lr, &mut evaluate)?;
    if end == ClosureEnd::NotFinite {
        return Ok(None);
    }
    coefficients(&found, inputs, outputs).map(Some)
}

/// The loss of some rows and its slopes: by the weight of each input, row by row, and by the bias.
fn loss_and_grad(
    TrainingBlock { xs, targets, weights }: &TrainingBlock,
    LinearCoefficients { weight, bias }: &LinearCoefficients,
    link: Link,
) -> Result<LossAndGrad> {
    let values = xs.matmul(weight)?.broadcast_add(bias)?;
    let Predicted { losses, probabilities } = losses(&values, targets, link)?;
    let loss = losses.mul(weights)?.sum_all()?.to_scalar::<f64>()?;
    let slopes = (probabilities - targets)?.broadcast_mul(&weights.unsqueeze(1)?)?;
    let of_weight = xs.t()?.matmul(&slopes)?.flatten_all()?.to_vec1::<f64>()?;
    Ok(LossAndGrad { loss, grad: [of_weight, slopes.sum(0)?.to_vec1::<f64>()?].concat() })
}

/// The coefficients in a list: those of the inputs, row by row, and the bias.
fn coefficients(numbers: &[f64], inputs: usize, outputs: usize) -> Result<LinearCoefficients> {
    let (weight, bias) = numbers.split_at(inputs * outputs);
    let weight = Tensor::from_slice(weight, (inputs, outputs), &Device::Cpu)?;
    Ok(LinearCoefficients { weight, bias: Tensor::from_slice(bias, outputs, &Device::Cpu)? })
}

/// The probabilities (N, M) that values stand for.
pub(super) fn probabilities(values: &Tensor, link: Link) -> Result<Tensor> {
    Ok(match link {
        Link::Softmax => candle_nn::ops::softmax(values, D::Minus1)?,
        Link::Sigmoid => ((values.neg()?.exp()? + 1.0)?.recip())?,
    })
}

/// The loss of each row, (N), and the predicted probabilities, (N, M).
struct Predicted {
    losses: Tensor,
    probabilities: Tensor,
}

fn losses(values: &Tensor, targets: &Tensor, link: Link) -> Result<Predicted> {
    let each = match link {
        // A target that is no class has no share of any: its loss is that of nothing.
        Link::Softmax => candle_nn::ops::log_softmax(values, D::Minus1)?.mul(targets)?.neg()?,
        // max(z, 0) − z y + log(1 + e^−|z|)
        Link::Sigmoid => {
            let soft = (values.abs()?.neg()?.exp()? + 1.0)?.log()?;
            ((values.relu()? - values.mul(targets)?)? + soft)?
        }
    };
    let losses = each.sum(D::Minus1)?.to_dtype(DType::F64)?;
    Ok(Predicted { losses, probabilities: probabilities(values, link)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(classes: [usize; 6], outputs: usize) -> [TrainingBlock; 1] {
        let xs = [[0.0, 1.0], [1.0, -1.0], [2.0, 0.5], [-1.0, 2.0], [0.5, 0.5], [1.5, -2.0]];
        let target = |class: usize| -> Vec<f64> {
            if outputs == 1 {
                vec![real(class)]
            } else {
                (0..outputs).map(|own| f64::from(u8::from(own == class))).collect()
            }
        };
        let targets: Vec<Vec<f64>> = classes.into_iter().map(target).collect();
        [TrainingBlock {
            xs: Tensor::new(&xs, &Device::Cpu).unwrap(),
            targets: Tensor::new(targets, &Device::Cpu).unwrap(),
            weights: Tensor::new(&[1.0, 2.0, 1.0, 3.0, 1.0, 0.5], &Device::Cpu).unwrap(),
        }]
    }

    /// `LogisticRegression(tol=1e-14)`, fitted with `sample_weight=weights`: `coef_.T` and `intercept_`.
    #[test]
    fn the_coefficients_are_scikit_learns() {
        let close = |own: &[f64], expected: &[f64]| {
            assert!(
                own.iter().zip(expected).all(|(own, other)| (own - other).abs() < 1e-4),
                "{own:?} {expected:?}"
            );
        };
        let LinearCoefficients { weight, bias } =
            fit(&rows([0, 1, 2, 0, 1, 2], 3), Link::Softmax).unwrap().unwrap();
        let weight = weight.to_vec2::<f64>().unwrap();
        close(&weight[0], &[-0.751_939_647_875, -0.101_483_970_610, 0.853_423_618_486]);
        close(&weight[1], &[0.725_693_384_904, -0.530_058_758_885, -0.195_634_626_019]);
        close(&bias.to_vec1::<f64>().unwrap(), &[0.194_010_960_006, 0.704_086_023_933, -0.898_096_983_940]);
        let LinearCoefficients { weight, bias } =
            fit(&rows([0, 1, 1, 0, 1, 0], 1), Link::Sigmoid).unwrap().unwrap();
        let weight = weight.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        close(&weight, &[0.880_205_242_046, -0.414_042_824_894]);
        close(&bias.to_vec1::<f64>().unwrap(), &[-0.184_103_537_545]);
    }
}
