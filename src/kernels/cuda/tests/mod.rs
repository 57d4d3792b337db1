//! Every kernel against the CPU's: as a C++ compiler makes it for this machine, or with `DESCENT_TEST_DEVICE=cuda` on the
//! first GPU.

mod layers;
mod training;

use candle_core::{DType, Device, Tensor};

use super::device;
use crate::kernels::draws::Draws;
use crate::kernels::{Accumulate, GradOut};

/// The arithmetic of a type, for bounds on rounding.
#[derive(Clone, Copy)]
pub(super) struct Rounding {
    dtype: DType,
}

impl Rounding {
    /// The distance from 1 to the next number.
    fn epsilon(self) -> f64 {
        if self.dtype == DType::F32 { f64::from(f32::EPSILON) } else { f64::EPSILON }
    }

    /// The bound of the difference of two sums of n terms of size 1, added in any order: n ε.
    ///
    /// The k-th partial sum of terms of either sign has size √k and is rounded by at most ε/2 of that, up or down. So the
    /// error of n of them has a standard deviation of at most √(Σ k / 12) ε ≈ 0.2 n ε, and the difference of two sums, of
    /// 0.3 n ε. An operation on the way counts as a term, where it is no sum.
    #[allow(clippy::cast_precision_loss, reason = "a few hundred terms")]
    pub(super) fn of(self, terms: usize) -> f64 {
        terms as f64 * self.epsilon()
    }

    /// The number of terms of a sum in f64; in f32 only the last rounding is seen.
    pub(super) fn wide(self, terms: usize) -> usize {
        if self.dtype == DType::F32 { 1 } else { terms }
    }
}

/// The longest chain of operations in an activation, its slope and the product with a gradient. A function of the C library
/// counts as two, as its error is up to two units in the last place.
/// <https://docs.nvidia.com/cuda/cuda-c-programming-guide/#mathematical-functions-appendix>
pub(super) const ACTIVATION: usize = 8;

/// The device that the kernels run on.
pub(super) fn gpu() -> Device {
    match std::env::var("DESCENT_TEST_DEVICE").as_deref() {
        Ok("cuda") => device(0).unwrap(),
        _ => Device::Cpu,
    }
}

/// The tensor where the kernels run.
pub(super) fn there(tensor: &Tensor) -> Tensor {
    // A copy, where that is the CPU too: kernels write to it.
    tensor.copy().unwrap().to_device(&gpu()).unwrap()
}

pub(super) fn random(draws: &Draws, shape: &[usize], dtype: DType) -> Tensor {
    draws.normal(shape, 1.0).to_dtype(dtype).unwrap()
}

/// Both within `tolerance`, of their size where that is more than 1; not finite in the same places.
pub(super) fn close(a: &Tensor, b: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(a.dims(), b.dims(), "{what}");
    let numbers = |t: &Tensor| -> Vec<f64> {
        t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    };
    for (place, (a, b)) in numbers(a).into_iter().zip(numbers(b)).enumerate() {
        let fits = if b.is_finite() {
            (a - b).abs() <= tolerance * b.abs().max(1.0)
        } else {
            a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
        };
        assert!(fits, "{what}: {a} and {b} at {place}");
    }
}

pub(super) fn each(mut test: impl FnMut(DType, Rounding, &Draws)) {
    let draws = Draws::new(1);
    for dtype in [DType::F32, DType::F64] {
        test(dtype, Rounding { dtype }, &draws);
    }
}

pub(super) fn out(buffer: &Tensor, accumulate: Accumulate) -> GradOut<'_> {
    GradOut { buffer, accumulate }
}
