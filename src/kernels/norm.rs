//! Sums over gradients.

use candle_core::{DType, Result, Tensor};

use super::storage::view;
use super::{by_dtype, is_fused};

/// The sum of the squares of all elements, in f64.
pub fn sum_of_squares(xs: &Tensor) -> Result<f64> {
    if !is_fused(xs) {
        return xs.sqr()?.sum_all()?.to_dtype(DType::F64)?.to_scalar();
    }
    by_dtype!(xs, T => {
        use super::storage::Float as _;
        const LANES: usize = 16;
        let x = view::<T>(xs)?;
        // Sixteen running sums fill the vector registers; their number is fixed, so the result is too.
        let mut sums = [0.0; LANES];
        let chunks = x.chunks_exact(LANES);
        let rest: f64 = chunks.remainder().iter().map(|x| x.wide() * x.wide()).sum();
        pulp::Arch::new().dispatch(|| {
            for chunk in chunks {
                for (sum, x) in sums.iter_mut().zip(chunk) {
                    *sum += x.wide() * x.wide();
                }
            }
        });
        Ok(sums.iter().sum::<f64>() + rest)
    })
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
