//! Losses that compare a prediction with its target number by number: value and gradient in one pass.

use candle_core::{DType, Result, Tensor};

use super::real::Real;
use super::storage::{Float, tensor, view};
use super::symbolic::FormulaTensors;
use super::vectorized::vectorized;
use super::{Scalar, ValueAndGrad, by_dtype, is_fused};

/// A loss of one prediction and its target.
pub trait Pairwise {
    /// The loss of the prediction `x` of the target `y`, and its slope by x. `w` is the column's weight, 1 where the
    /// loss has none.
    fn apply<R: Real>(&self, x: R, y: R, w: R) -> (R, R);

    /// A weight for each of a row's K numbers.
    fn column_weights(&self) -> Option<&[f64]> {
        None
    }
}

/// `Σ loss(x, y)`, and the gradient of that sum over `divisor`; xs and ys have one shape, (N, K).
pub fn value_and_grad(loss: &impl Pairwise, xs: &Tensor, ys: &Tensor, divisor: f64) -> Result<ValueAndGrad> {
    weighted_value_and_grad(loss, xs, ys, None, divisor)
}

/// As [`value_and_grad`] of rows that count as often as their weights say, (N) of F64.
pub fn weighted_value_and_grad(
    loss: &impl Pairwise,
    xs: &Tensor,
    ys: &Tensor,
    rows: Option<&Tensor>,
    divisor: f64,
) -> Result<ValueAndGrad> {
    if xs.dims() != ys.dims() {
        candle_core::bail!("predictions {:?} and targets {:?} differ in shape", xs.dims(), ys.dims());
    }
    if !is_fused(xs) {
        return reference(loss, xs, ys, rows, divisor);
    }
    by_dtype!(xs, T => fused::<T>(loss, xs, ys, rows, divisor))
}

/// The reference implementation, in tensor operations.
pub fn reference(
    loss: &impl Pairwise,
    xs: &Tensor,
    ys: &Tensor,
    rows: Option<&Tensor>,
    divisor: f64,
) -> Result<ValueAndGrad> {
    let weights = match loss.column_weights() {
        Some(weights) => Tensor::new(weights, xs.device())?.to_dtype(xs.dtype())?.broadcast_as(xs.shape())?,
        None => xs.ones_like()?,
    };
    let formula = FormulaTensors::default();
    let (value, slope) =
        loss.apply(formula.node(xs.clone()), formula.node(ys.clone()), formula.node(weights.contiguous()?));
    let weighted = |values: Tensor| match rows {
        Some(rows) => values.broadcast_mul(&rows.to_dtype(values.dtype())?.unsqueeze(1)?),
        None => Ok(values),
    };
    let value = Scalar::of(&weighted(formula.value(value)?.to_dtype(DType::F64)?)?.sum_all()?)?;
    Ok(ValueAndGrad { value, grad: (weighted(formula.value(slope)?)? / divisor)? })
}

fn fused<T: Float>(
    loss: &impl Pairwise,
    xs: &Tensor,
    ys: &Tensor,
    rows: Option<&Tensor>,
    divisor: f64,
) -> Result<ValueAndGrad> {
    let (x, y) = (view::<T>(xs)?, view::<T>(ys)?);
    let mut grad = vec![T::of(0.0); x.len()];
    let sum = match rows {
        None => losses_of(loss, &x, &y, T::of(1.0 / divisor), &mut grad),
        Some(rows) => {
            let rows = view::<f64>(rows)?;
            let width = (x.len() / rows.len().max(1)).max(1);
            let pairs = x.chunks(width).zip(y.chunks(width)).zip(grad.chunks_mut(width));
            let each = pairs.zip(rows.iter());
            each.map(|(((x, y), grad), w)| w * losses_of(loss, x, y, T::of(w / divisor), grad)).sum()
        }
    };
    Ok(ValueAndGrad { value: Scalar::Host(sum), grad: tensor(grad, xs.shape())? })
}

/// The sum of the losses of whole rows, and their slopes times `scale`.
fn losses_of<T: Float>(loss: &impl Pairwise, x: &[T], y: &[T], scale: T, grad: &mut [T]) -> f64 {
    let Some(weights) = loss.column_weights() else { return losses(loss, x, y, scale, grad) };
    let mut sum = 0.0;
    let pairs = x.iter().zip(y).zip(weights.iter().cycle());
    for (((&x, &y), &w), grad) in pairs.zip(grad) {
        let (value, slope) = loss.apply(x, y, T::of(w));
        sum += value.wide();
        *grad = slope * scale;
    }
    sum
}

vectorized! {
    /// The sum of the losses, and their slopes times `scale`.
    fn losses[L: Pairwise, T: Float](loss: &L, x: &[T], y: &[T], scale: T, grad: &mut [T]) -> f64 {
        // Running sums fill the vector registers; their number is fixed, so the result is too.
        const LANES: usize = 16;
        let mut sums = [0.0; LANES];
        for ((x, y), grad) in x.chunks(LANES).zip(y.chunks(LANES)).zip(grad.chunks_mut(LANES)) {
            for (((sum, &x), &y), grad) in sums.iter_mut().zip(x).zip(y).zip(grad) {
                let (value, slope) = loss.apply(x, y, T::of(1.0));
                *sum += value.wide();
                *grad = slope * scale;
            }
        }
        sums.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::draws::Draws;

    /// Uses what a loss may use.
    struct EveryLossOperation;

    impl Pairwise for EveryLossOperation {
        fn apply<R: Real>(&self, x: R, y: R, w: R) -> (R, R) {
            let e = (-x.magnitude()).exponential();
            (w * e.log_of_one_plus() + y.magnitude().shift(1.0).logarithm(), y.if_positive(x * w, -x))
        }

        fn column_weights(&self) -> Option<&[f64]> {
            Some(&[1.0, 2.0, 0.5])
        }
    }

    #[test]
    fn the_fused_loop_matches_the_reference() {
        let draws = Draws::new(1);
        let random = || draws.normal((5, 3), 2.0);
        let (xs, ys) = (random(), random());
        let weights = Tensor::new(&[1.0, 0.0, 2.5, 1.0, 3.0], xs.device()).unwrap();
        for rows in [None, Some(&weights)] {
            let ours = weighted_value_and_grad(&EveryLossOperation, &xs, &ys, rows, 7.0).unwrap();
            let expected = reference(&EveryLossOperation, &xs, &ys, rows, 7.0).unwrap();
            assert!((ours.value.read().unwrap() - expected.value.read().unwrap()).abs() < 1e-12);
            let off = (ours.grad - expected.grad).unwrap().abs().unwrap().max_all().unwrap();
            assert!(off.to_scalar::<f64>().unwrap() < 1e-12);
        }
        assert!(value_and_grad(&EveryLossOperation, &xs, &ys.t().unwrap(), 7.0).is_err());
    }
}
