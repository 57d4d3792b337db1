//! Fused operations on the CPU, each beside a plain twin in tensor operations.
//!
//! This is the only folder that touches storage. A kernel here takes and gives candle tensors; in f32 and f64 it runs
//! over slices on the CPU and as a kernel of [`cuda`] on a GPU. Of any other dtype it runs its plain twin, whose gradient
//! is candle's own backward ([`autograd`]). The tests hold every kernel against its twin, in value and in gradient.
//!
//! Equal bits on any number of threads: work is cut in pieces that depend on the shapes alone ([`team`] hands them out),
//! and sums run in a fixed order.

pub mod activation;
pub mod autograd;
pub mod batch_norm;
pub mod bytes;
mod columns;
pub mod cross_entropy;
pub mod cuda;
pub mod dropout;
mod elementary;
pub mod gather;
mod gemm;
pub mod layer_norm;
pub mod linear;
pub mod norm;
mod number;
pub mod pairwise;
mod products;
pub mod ranks;
pub mod real;
pub mod recurrent;
mod storage;
mod symbolic;
pub mod team;
pub mod update;
mod vectorized;

pub use activation::Activation;
pub use number::Number;
pub use products::Products;

/// How a result joins what is in its place: `keep · there + scale · result`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Onto {
    /// What remains of the numbers that are there; with 0 they are not read.
    pub keep: f64,
    /// What the result is multiplied by.
    pub scale: f64,
}

impl Onto {
    /// The result takes the place.
    pub const REPLACE: Self = Self { keep: 0.0, scale: 1.0 };
    /// The result is added.
    pub const ADD: Self = Self { keep: 1.0, scale: 1.0 };

    /// A number behind a result that joins it.
    #[inline(always)]
    fn join(self, there: f64, result: f64) -> f64 {
        let kept = if self.keep == 0.0 { 0.0 } else { self.keep * there };
        kept + self.scale * result
    }
}

/// Where a gradient goes: a buffer for it, or at the end of plain descent the parameter itself.
#[derive(Debug, Clone, Copy)]
pub struct Sink<'a> {
    /// A tensor of the parameter's shape.
    pub buffer: &'a candle_core::Tensor,
    /// How the gradient joins what is in the buffer.
    pub onto: Onto,
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
