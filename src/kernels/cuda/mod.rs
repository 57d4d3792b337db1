//! CUDA devices, and the kernels that run there: each has a Rust function here with the shapes and meaning of its counterpart
//! in the folder above, and its body in a `.cuh` file of the same name.
//!
//! The bodies also compile as C++ for this machine (`host.h`), and the tests run them so, by the same Rust functions,
//! against the CPU's kernels.

pub(super) mod activation;
pub(super) mod batch_norm;
mod columns;
pub(super) mod cross_entropy;
mod devices;
pub(super) mod dropout;
mod finite_guard;
pub(super) mod gather;
mod graph;
mod grid;
#[cfg(test)]
mod host;
mod launch;
pub(super) mod layer_norm;
pub(super) mod lerp;
#[cfg(feature = "cuda")]
mod libraries;
pub(super) mod linear;
pub(super) mod recurrent;
mod replayed;
#[cfg(test)]
mod tests;
pub(super) mod update;

use candle_core::{DType, Device, Result, Tensor};

pub use devices::{BUILT_WITH, Gpu, device, devices, found};
pub use finite_guard::{FiniteGuard, GuardRecord, SkipFlag, Thresholds};
pub use graph::{CachedConstants, Graph};
pub use replayed::Replayed;

pub(super) use columns::total;

/// Whether these kernels run on this tensor: a GPU, f32 or f64.
pub(super) fn runs_on(xs: &Tensor) -> bool {
    xs.device().is_cuda() && matches!(xs.dtype(), DType::F32 | DType::F64)
}

/// A new tensor for a kernel to fill.
fn room(shape: impl Into<candle_core::Shape>, like: &Tensor) -> Result<Tensor> {
    launch::room(shape.into(), like.dtype(), like.device())
}

/// A new tensor of f64 for a kernel to fill.
fn room_for_sums(count: usize, device: &Device) -> Result<Tensor> {
    launch::room(count.into(), DType::F64, device)
}
