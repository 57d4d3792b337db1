//! Every kernel against the CPU's: as a C++ compiler makes it for this machine, or with `DESCENT_TEST_DEVICE=cuda` on the
//! first GPU.

mod layers;
mod training;

use candle_core::{DType, Device, Tensor};

use super::device;
use crate::kernels::draws::Draws;
use crate::kernels::{Accumulate, GradOut};

/// What rounding may do in so many steps of arithmetic.
pub(super) fn tolerance(dtype: DType) -> f64 {
    if dtype == DType::F32 { 2e-6 } else { 1e-13 }
}

/// Where the kernels run.
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

pub(super) fn each(mut test: impl FnMut(DType, f64, &Draws)) {
    let draws = Draws::new(1);
    for dtype in [DType::F32, DType::F64] {
        test(dtype, tolerance(dtype), &draws);
    }
}

pub(super) fn out(buffer: &Tensor, accumulate: Accumulate) -> GradOut<'_> {
    GradOut { buffer, accumulate }
}
