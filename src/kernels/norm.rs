//! Sums over gradients.

use candle_core::{DType, Result, Tensor};

use super::storage::{Float, view};
use super::vectorized::vectorized;
use super::{by_dtype, is_fused, team};

/// The sum of the squares of all elements, in f64.
pub fn sum_of_squares(xs: &Tensor) -> Result<f64> {
    if !is_fused(xs) {
        return xs.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar();
    }
    by_dtype!(xs, T => Ok(of_chunks::<T, _>(xs, squares)?.iter().sum()))
}

/// Whether no element is NaN or infinite.
pub fn all_finite(xs: &Tensor) -> Result<bool> {
    if !is_fused(xs) {
        // Non-finite x gives `0 · x = NaN`, which propagates through the sum.
        let zero = (xs.to_dtype(DType::F64)? * 0.0)?.sum_all()?.to_scalar::<f64>()?;
        return Ok(zero == 0.0);
    }
    by_dtype!(xs, T => Ok(of_chunks::<T, _>(xs, is_finite)?.iter().all(|finite| *finite)))
}

vectorized! {
    fn is_finite[T: Float](x: &[T]) -> bool {
        // Times 0 it is 0, or NaN: without a branch for each element.
        const LANES: usize = 32;
        let mut sums = [T::of(0.0); LANES];
        let mut chunks = x.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += *x * T::of(0.0);
            }
        }
        let rest = chunks.remainder().iter().all(|x| x.is_finite());
        rest && sums.iter().all(|sum| *sum == T::of(0.0))
    }
}

/// The sum of the absolute values, rounded: for a bound. NaN or infinite where an element is.
pub fn sum_of_magnitudes(xs: &Tensor) -> Result<f64> {
    if !is_fused(xs) {
        return xs.to_dtype(DType::F64)?.abs()?.sum_all()?.to_scalar();
    }
    by_dtype!(xs, T => Ok(of_chunks::<T, _>(xs, magnitudes)?.iter().sum()))
}

vectorized! {
    fn magnitudes[T: Float](x: &[T]) -> f64 {
        const LANES: usize = 64;
        let mut sums = [T::of(0.0); LANES];
        let mut chunks = x.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += x.abs();
            }
        }
        sums.iter().chain(chunks.remainder()).map(|x| x.abs().wide()).sum()
    }
}

/// Elements that one thread takes at a time.
const CHUNK: usize = 1 << 15;

/// The results of `f` for each chunk, in order.
fn of_chunks<T: Float, R: Send>(xs: &Tensor, f: impl Fn(&[T]) -> R + Sync) -> Result<Vec<R>> {
    Ok(team::map(view::<T>(xs)?.chunks(CHUNK).collect(), f))
}

vectorized! {
    fn squares[T: Float](x: &[T]) -> f64 {
        // Running sums fill the vector registers; their number is fixed, so the result is too.
        const LANES: usize = 32;
        let mut sums = [0.0; LANES];
        let mut chunks = x.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += x.wide() * x.wide();
            }
        }
        let rest: f64 = chunks.remainder().iter().map(|x| x.wide() * x.wide()).sum();
        sums.iter().sum::<f64>() + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn one_element_that_is_not_finite_is_found_anywhere() {
        for n in [1usize, 31, 32, 100, 70_000] {
            let xs = Tensor::full(3e38f32, n, &Device::Cpu).unwrap();
            assert!(all_finite(&xs).unwrap());
            for (place, bad) in [(0, f32::NAN), (n / 2, f32::INFINITY), (n - 1, f32::NEG_INFINITY)] {
                let mut elements = xs.to_vec1::<f32>().unwrap();
                elements[place] = bad;
                let bad = Tensor::new(elements, &Device::Cpu).unwrap();
                assert!(!all_finite(&bad).unwrap());
                assert!(!sum_of_magnitudes(&bad).unwrap().is_finite());
            }
        }
    }

    #[test]
    fn every_element_counts_once() {
        for n in [1usize, 15, 16, 100] {
            let xs = Tensor::full(2f32, n, &Device::Cpu).unwrap();
            let expected = 4.0 * f64::from(u32::try_from(n).unwrap());
            assert!((sum_of_squares(&xs).unwrap() - expected).abs() < 1e-9);
            assert!((sum_of_magnitudes(&xs.neg().unwrap()).unwrap() - expected / 2.0).abs() < 1e-9);
        }
    }
}
