//! Random numbers and matrices that initialisers draw.

use candle_core::{Tensor, bail};
use rand::Rng;
use rand_distr::StandardNormal;

use super::initializer::ParamShape;
use crate::error::Result;
use crate::rng::Stream;

pub(super) fn uniform(count: usize, (low, high): (f64, f64), stream: &mut Stream) -> Vec<f64> {
    (0..count).map(|_| low + (high - low) * stream.random::<f64>()).collect()
}

pub(super) fn normal(count: usize, (mean, std): (f64, f64), stream: &mut Stream) -> Vec<f64> {
    (0..count).map(|_| mean + std * stream.sample::<f64, _>(StandardNormal)).collect()
}

/// One number of N(0, 1) between `low` and `high`.
pub(super) fn truncated(low: f64, high: f64, stream: &mut Stream) -> f64 {
    // Where the interval holds a good part of the distribution a number of it soon comes by itself.
    if low <= 0.0 && high >= 0.0 && high - low >= 2.0 {
        loop {
            let x: f64 = stream.sample(StandardNormal);
            if (low..=high).contains(&x) {
                return x;
            }
        }
    }
    // Else a uniform number is kept with the density at it over the largest density. Forty deviations further out
    // there is nothing left.
    let peak = 0f64.clamp(low, high);
    let (low, high) = (low.max(peak - 40.0), high.min(peak + 40.0));
    loop {
        let x = low + (high - low) * stream.random::<f64>();
        if stream.random::<f64>() <= (0.5 * (peak * peak - x * x)).exp() {
            return x;
        }
    }
}

/// A (rows, cols) matrix with orthonormal rows or columns, whichever are fewer: Gram-Schmidt on a normal matrix, twice,
/// which keeps it orthogonal to rounding. Saxe et al. 2013.
pub(super) fn orthogonal(shape: &ParamShape, stream: &mut Stream) -> Result<Vec<f64>> {
    let (count, length) = (shape.rows.min(shape.cols), shape.rows.max(shape.cols));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut v = normal(length, (0.0, 1.0), stream);
        for _ in 0..2 {
            for b in &basis {
                let along: f64 = v.iter().zip(b).map(|(x, y)| x * y).sum();
                v.iter_mut().zip(b).for_each(|(x, y)| *x -= along * y);
            }
        }
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        for x in &mut v {
            *x /= norm;
        }
        basis.push(v);
    }
    if basis.iter().flatten().any(|x| !x.is_finite()) {
        return (|| bail!("no orthogonal matrix of {} x {}", shape.rows, shape.cols))().map_err(Into::into);
    }
    let flat: Vec<f64> = basis.into_iter().flatten().collect();
    if shape.rows <= shape.cols {
        return Ok(flat);
    }
    let columns = Tensor::from_vec(flat, (count, length), &candle_core::Device::Cpu)?;
    Ok(columns.t()?.contiguous()?.flatten_all()?.to_vec1()?)
}
