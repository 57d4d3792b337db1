//! Softmax and cross-entropy as one operation: value and gradient in one pass over the logits.
//! Formula: <https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>.

mod likelihood;
mod weighting;

use candle_core::{D, DType, Result, Tensor};

use super::buffers::{FilledBuffers, filled_with_results};
use super::storage::{Float, tensor, view};
use super::vectorized::vectorized;
use super::{Scalar, ValueAndGrad, autograd, by_dtype, cuda, is_fused};
pub use likelihood::{LikelihoodTargets, OfLikelihood, Scores};
pub use weighting::Weighting;

/// The sum of the rows' losses, and the gradient of that sum over `total`: logits (N, C), targets (N) as I64.
pub fn value_and_grad(
    logits: &Tensor,
    targets: &Tensor,
    how: &Weighting<'_>,
    total: f64,
) -> Result<ValueAndGrad> {
    weighted_value_and_grad(logits, targets, how, None, total)
}

/// As [`value_and_grad`] of rows that count as often as their weights say, (N) of F64.
pub fn weighted_value_and_grad(
    logits: &Tensor,
    targets: &Tensor,
    how: &Weighting<'_>,
    rows: Option<&Tensor>,
    total: f64,
) -> Result<ValueAndGrad> {
    if is_fused(logits) {
        return by_dtype!(logits, T => fused::<T>(logits, targets, how, rows, total));
    }
    if cuda::runs_on(logits) && rows.is_none() {
        return cuda::cross_entropy::value_and_grad(logits, targets, how, total);
    }
    let sum = reference(logits, targets, how, rows)?;
    let one = sum.ones_like()?;
    let grads = autograd::vjp(&[logits], &one, |t| reference(&t[0], targets, how, rows))?;
    Ok(ValueAndGrad { value: Scalar::of(&sum)?, grad: (&grads[0] / total)? })
}

/// The reference implementation: the sum of the rows' losses.
pub fn reference(
    logits: &Tensor,
    targets: &Tensor,
    how: &Weighting<'_>,
    rows: Option<&Tensor>,
) -> Result<Tensor> {
    let (n, classes) = logits.dims2()?;
    let mut shares = vec![0.0; n * classes];
    let spread = how.label_smoothing / fraction(classes);
    let targets = targets.to_device(&candle_core::Device::Cpu)?.to_vec1::<i64>()?;
    let rows = weights_of(rows, n)?;
    for ((shares, &target), row) in shares.chunks_exact_mut(classes).zip(&targets).zip(rows) {
        let Some(y) = how.class(target) else { continue };
        for (class, share) in shares.iter_mut().enumerate() {
            let hit = if class == y { 1.0 - how.label_smoothing } else { 0.0 };
            *share = row * how.weight(class) * (hit + spread);
        }
    }
    reference_shares(
        logits,
        &Tensor::from_vec(shares, (n, classes), logits.device())?.to_dtype(logits.dtype())?,
    )
}

/// The weights of rows, 1 each where there are none.
fn weights_of(rows: Option<&Tensor>, count: usize) -> Result<Vec<f64>> {
    match rows {
        Some(rows) => rows.to_device(&candle_core::Device::Cpu)?.to_vec1::<f64>(),
        None => Ok(vec![1.0; count]),
    }
}

/// `-Σ shares · log softmax(logits)`
fn reference_shares(logits: &Tensor, shares: &Tensor) -> Result<Tensor> {
    candle_nn::ops::log_softmax(logits, D::Minus1)?.mul(shares)?.sum_all()?.neg()
}

/// `-Σ shares · log softmax(logits)` for targets that are a share of every class, and the gradient of that over
/// `divisor`: logits and shares (N, C). Classes weigh and are smoothed as in [`value_and_grad`].
pub fn value_and_grad_of_shares(
    logits: &Tensor,
    shares: &Tensor,
    how: &Weighting<'_>,
    rows: Option<&Tensor>,
    divisor: f64,
) -> Result<ValueAndGrad> {
    let (_, classes) = logits.dims2()?;
    let spread = how.label_smoothing / fraction(classes);
    let mut shares = shares.affine(1.0 - how.label_smoothing, spread)?;
    if let Some(weights) = how.class_weight {
        shares = shares.broadcast_mul(&Tensor::new(weights, shares.device())?.to_dtype(shares.dtype())?)?;
    }
    if let Some(rows) = rows {
        shares = shares.broadcast_mul(&rows.to_dtype(shares.dtype())?.unsqueeze(1)?)?;
    }
    let value = Scalar::of(&reference_shares(logits, &shares)?)?;
    // d/dx_c = p_c Σ shares - share_c
    let totals = shares.sum_keepdim(D::Minus1)?;
    let grad = candle_nn::ops::softmax(logits, D::Minus1)?.broadcast_mul(&totals)?.sub(&shares)?;
    Ok(ValueAndGrad { value, grad: (grad / divisor)? })
}

/// The sum of the rows' losses by the log-probabilities of their classes, and the gradient of that sum over `divisor`.
pub fn value_and_grad_of_likelihood(
    loss: &impl OfLikelihood,
    scores: Scores<'_>,
    targets: &LikelihoodTargets<'_>,
    divisor: f64,
) -> Result<ValueAndGrad> {
    let Scores { values: logits, are_normalized } = scores;
    let LikelihoodTargets { classes: targets, ignored, rows } = *targets;
    if cuda::runs_on(logits) && rows.is_none() {
        return cuda::cross_entropy::value_and_grad_of_likelihood(loss, scores, targets, ignored, divisor);
    }
    let (n, classes) = logits.dims2()?;
    let logs = if are_normalized { logits.clone() } else { candle_nn::ops::log_softmax(logits, D::Minus1)? };
    let logs = logs.to_dtype(DType::F64)?.to_device(&candle_core::Device::Cpu)?.to_vec2::<f64>()?;
    let mut grad = vec![0.0; n * classes];
    let mut sum = 0.0;
    let targets = targets.to_device(&candle_core::Device::Cpu)?.to_vec1::<i64>()?;
    let weights = weights_of(rows, n)?;
    for (((row, grad), target), weight) in
        logs.iter().zip(grad.chunks_exact_mut(classes)).zip(targets).zip(weights)
    {
        let Some(class) = usize::try_from(target).ok().filter(|_| target != ignored) else { continue };
        let (value, slope) = loss.apply(row[class], class);
        let slope = weight * slope;
        sum += weight * value;
        if !are_normalized {
            grad.iter_mut().zip(row).for_each(|(g, log)| *g = -slope * log.exp() / divisor);
        }
        grad[class] += slope / divisor;
    }
    let grad = Tensor::from_vec(grad, (n, classes), logits.device())?.to_dtype(logits.dtype())?;
    Ok(ValueAndGrad { value: Scalar::Host(sum), grad })
}

#[allow(clippy::cast_precision_loss, reason = "a number of classes")]
fn fraction(classes: usize) -> f64 {
    classes as f64
}

fn fused<T: Float>(
    logits: &Tensor,
    targets: &Tensor,
    how: &Weighting<'_>,
    rows: Option<&Tensor>,
    total: f64,
) -> Result<ValueAndGrad> {
    let (n, classes) = logits.dims2()?;
    let (x, targets) = (view::<T>(logits)?, view::<i64>(targets)?);
    let weights: Vec<f64> = (0..classes).map(|class| how.weight(class)).collect();
    if let Some(of_rows) = rows {
        let of_rows = view::<f64>(of_rows)?;
        let mut grad = vec![T::of(0.0); n * classes];
        let inputs = x.chunks(classes).zip(targets.chunks(1)).zip(of_rows.iter());
        // A row of weight 0 has the gradient 0: it is divided by an infinite total.
        let each = grad
            .chunks_mut(classes)
            .zip(inputs)
            .map(|(grad, ((x, target), w))| w * losses(x, target, how, &weights, total / w, grad));
        let value = Scalar::Host(each.sum());
        return Ok(ValueAndGrad { value, grad: tensor(grad, (n, classes))? });
    }
    let rows = (CHUNK / classes.max(1)).max(1);
    let inputs = x.chunks(rows * classes).zip(targets.chunks(rows));
    let chunks = inputs.map(|(x, targets)| (x.len(), (x, targets)));
    let FilledBuffers { buffers: [grad], results: sums } =
        filled_with_results(chunks, |(x, targets), [grad]| losses(x, targets, how, &weights, total, grad));
    let value = Scalar::Host(sums.into_iter().sum());
    Ok(ValueAndGrad { value, grad: tensor(grad, (n, classes))? })
}

/// Logits that one thread takes at a time.
const CHUNK: usize = 1 << 12;

vectorized! {
    /// The sum of the losses of some rows, and their gradients over `total`.
    fn losses[T: Float](
        x: &[T],
        targets: &[i64],
        how: &Weighting<'_>,
        weights: &[f64],
        total: f64,
        grad: &mut [T],
    ) -> f64 {
        let classes = weights.len();
        let spread = how.label_smoothing / fraction(classes);
        let weight_sum: f64 = weights.iter().sum();
        let mut sum = 0.0;
        for ((x, grad), &target) in x.chunks_exact(classes).zip(grad.chunks_exact_mut(classes)).zip(targets) {
            let Some(y) = how.class(target) else { continue };
            let max = x.iter().fold(T::of(f64::NEG_INFINITY), |max, &x| if x > max { x } else { max });
            for (g, &x) in grad.iter_mut().zip(x) {
                *g = (x - max).exponential();
            }
            let exp_sum = grad.iter().fold(T::of(0.0), |sum, &g| sum + g).wide();
            let log_sum = max.wide() + exp_sum.ln();
            let hit = (1.0 - how.label_smoothing) * weights[y];
            sum += hit * (log_sum - x[y].wide());
            if spread > 0.0 {
                sum += spread * x.iter().zip(weights).map(|(x, w)| w * (log_sum - x.wide())).sum::<f64>();
            }
            // d/dx_c = p_c · (hit + spread Σw) - hit [c = y] - spread w_c, over the total
            let scale = T::of((hit + spread * weight_sum) / (total * exp_sum));
            for (g, w) in grad.iter_mut().zip(weights) {
                *g = *g * scale - T::of(spread * w / total);
            }
            grad[y] -= T::of(hit / total);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::draws::Draws;
    use candle_core::Device;

    #[test]
    fn value_and_gradient_match_the_reference() {
        let logits = Draws::new(1).normal((5, 4), 3.0);
        let targets = Tensor::new(&[3i64, 0, -100, 1, 1], &Device::Cpu).unwrap();
        let weights = [0.5, 2.0, 1.0, 0.25];
        let row_weights = Tensor::new(&[1.0, 3.0, 2.0, 0.0, 0.5], &Device::Cpu).unwrap();
        for class_weight in [None, Some(&weights[..])] {
            for label_smoothing in [0.0, 0.1] {
                let how = Weighting { class_weight, label_smoothing, ignore_index: -100 };
                let total = how.total(&targets, None).unwrap();
                assert!((total - if class_weight.is_some() { 4.75 } else { 4.0 }).abs() < 1e-12);
                for rows in [None, Some(&row_weights)] {
                    assert_matches_the_reference(&logits, &targets, &how, rows, total);
                }
            }
        }
    }

    #[test]
    fn rows_in_several_chunks_match_the_reference() {
        let logits = Draws::new(2).normal((2500, 4), 3.0);
        // Every fifth row is ignored.
        let targets: Vec<i64> = [3, 0, -100, 1, 1].into_iter().cycle().take(2500).collect();
        let targets = Tensor::new(targets, &Device::Cpu).unwrap();
        let how = Weighting { class_weight: None, label_smoothing: 0.1, ignore_index: -100 };
        assert_matches_the_reference(&logits, &targets, &how, None, 2000.0);
    }

    fn assert_matches_the_reference(
        logits: &Tensor,
        targets: &Tensor,
        how: &Weighting<'_>,
        rows: Option<&Tensor>,
        total: f64,
    ) {
        // What the sum of so many rows can be off.
        let tolerance = 1e-13 * crate::stats::real(logits.dim(0).unwrap());
        let ours = weighted_value_and_grad(logits, targets, how, rows, total).unwrap();
        let expected = reference(logits, targets, how, rows).unwrap();
        assert!((ours.value.read().unwrap() - expected.to_scalar::<f64>().unwrap()).abs() < tolerance);
        let one = Tensor::new(1.0 / total, &Device::Cpu).unwrap();
        let expected = autograd::vjp(&[logits], &one, |t| reference(&t[0], targets, how, rows)).unwrap();
        let off = (ours.grad - &expected[0]).unwrap().abs().unwrap().max_all().unwrap();
        assert!(off.to_scalar::<f64>().unwrap() < 1e-12);
    }

    #[test]
    fn large_logits_stay_finite() {
        let logits = Tensor::new(&[[1000f32, -1000.0]], &Device::Cpu).unwrap();
        let how = Weighting { class_weight: None, label_smoothing: 0.0, ignore_index: -100 };
        for (target, loss) in [(0i64, 0.0), (1, 2000.0)] {
            let targets = Tensor::new(&[target], &Device::Cpu).unwrap();
            let sum = value_and_grad(&logits, &targets, &how, 1.0).unwrap().value;
            assert!((sum.read().unwrap() - loss).abs() < 1e-3);
        }
    }
}
