//! The squared error, value and gradient in one pass.

use candle_core::{DType, Result, Tensor};

use super::storage::{Float, tensor, view};
use super::{by_dtype, is_fused};

/// `Σ (xs - ys)²`, and the gradient of that sum over `total`; xs and ys have one shape.
pub fn value_and_grad(xs: &Tensor, ys: &Tensor, total: f64) -> Result<(f64, Tensor)> {
    if xs.dims() != ys.dims() {
        candle_core::bail!("predictions {:?} and targets {:?} differ in shape", xs.dims(), ys.dims());
    }
    if !is_fused(xs) {
        let difference = xs.sub(ys)?;
        let sum = difference.sqr()?.sum_all()?.to_dtype(DType::F64)?.to_scalar()?;
        return Ok((sum, (difference * (2.0 / total))?));
    }
    by_dtype!(xs, T => fused::<T>(xs, ys, total))
}

fn fused<T: Float>(xs: &Tensor, ys: &Tensor, total: f64) -> Result<(f64, Tensor)> {
    let (x, y) = (view::<T>(xs)?, view::<T>(ys)?);
    let scale = T::of(2.0 / total);
    let mut sum = 0.0;
    let mut grad = Vec::with_capacity(x.len());
    for (&x, &y) in x.iter().zip(y.iter()) {
        let difference = x - y;
        sum += difference.wide() * difference.wide();
        grad.push(difference * scale);
    }
    Ok((sum, tensor(grad, xs.shape())?))
}
