//! Sums over gradients.

use candle_core::{DType, Result, Tensor};

use super::storage::{Float, view};
use super::vectorized::vectorized;
use super::{by_dtype, is_fused, team};

/// The sum of the squares of all elements, in f64.
pub fn sum_of_squares(xs: &Tensor) -> Result<f64> {
    if !is_fused(xs) {
        return xs.sqr()?.sum_all()?.to_dtype(DType::F64)?.to_scalar();
    }
    by_dtype!(xs, T => {
        let x = view::<T>(xs)?;
        let mut sums = vec![0.0; x.len().div_ceil(PIECE)];
        team::for_each(sums.iter_mut().zip(x.chunks(PIECE)).collect(), |(sum, piece)| {
            *sum = squares(piece);
        });
        Ok(sums.iter().sum())
    })
}

/// Elements that one thread takes at a time.
const PIECE: usize = 1 << 15;

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
    fn every_element_counts_once() {
        for n in [1usize, 15, 16, 100] {
            let xs = Tensor::full(2f32, n, &Device::Cpu).unwrap();
            let expected = 4.0 * f64::from(u32::try_from(n).unwrap());
            assert!((sum_of_squares(&xs).unwrap() - expected).abs() < 1e-9);
        }
    }
}
