//! Fused operations on the CPU, each beside a reference implementation in tensor operations.
//!
//! Only this folder accesses storage. A kernel takes and returns candle tensors. For f32 and f64 it runs over slices on the
//! CPU and as a kernel of [`cuda`] on a GPU; for other dtypes its reference implementation runs, whose gradient is candle's
//! own backward ([`autograd`]). The tests compare every kernel with its reference, in value and in gradient.
//!
//! Equal bits on any number of threads: work is cut in chunks that depend on the shapes alone ([`team`] hands them out),
//! and sums run in a fixed order.

pub mod activation;
pub mod allocator;
pub mod autograd;
pub mod batch_norm;
mod buffers;
pub mod bytes;
mod columns;
pub mod cross_entropy;
pub mod cuda;
#[cfg(test)]
pub(crate) mod draws;
pub mod dropout;
mod elementary;
pub mod embedding;
pub mod gather;
mod gemm;
pub mod layer_norm;
pub mod lerp;
pub mod linear;
mod matmul_precision;
pub mod norm;
pub mod numerical;
pub mod pairwise;
pub mod ranks;
pub mod real;
pub mod recorded;
pub mod recurrent;
mod scalar;
pub mod scale;
mod storage;
mod symbolic;
pub mod team;
pub mod update;
mod vectorized;

pub use activation::Activation;
pub use matmul_precision::MatmulPrecision;
pub use scalar::{Scalar, ValueAndGrad};

/// The coefficients with which a result is written, as in BLAS: `out ← alpha · result + beta · out`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accumulate {
    /// The factor of the result.
    pub alpha: f64,
    /// The factor of the previous values. With 0 they are not read.
    pub beta: f64,
}

impl Accumulate {
    /// The result replaces the previous values.
    pub const REPLACE: Self = Self { alpha: 1.0, beta: 0.0 };
    /// The result is added to the previous values.
    pub const ADD: Self = Self { alpha: 1.0, beta: 1.0 };

    /// The new value of an element.
    #[inline(always)]
    fn apply(self, previous: f64, result: f64) -> f64 {
        let kept = if self.beta == 0.0 { 0.0 } else { self.beta * previous };
        kept + self.alpha * result
    }
}

/// The output of a gradient: its buffer, or in plain descent the parameter itself.
#[derive(Debug, Clone, Copy)]
pub struct GradOut<'a> {
    /// A tensor of the parameter's shape.
    pub buffer: &'a candle_core::Tensor,
    /// The coefficients.
    pub accumulate: Accumulate,
}

/// Whether the fused kernels run on this tensor: CPU, f32 or f64.
pub fn is_fused(xs: &candle_core::Tensor) -> bool {
    use candle_core::DType;
    xs.device().is_cpu() && matches!(xs.dtype(), DType::F32 | DType::F64)
}

/// Calls a kernel that is generic over [`storage::Float`] with the tensor's dtype.
macro_rules! by_dtype {
    ($tensor:expr, $float:ident => $body:expr) => {
        match $tensor.dtype() {
            candle_core::DType::F32 => {
                type $float = f32;
                $body
            }
            candle_core::DType::F64 => {
                type $float = f64;
                $body
            }
            other => candle_core::bail!("no fused kernel for {other:?}"),
        }
    };
}
use by_dtype;
