//! CUDA devices, and the kernels that run there: each has a Rust function here with the shapes and meaning of its counterpart
//! in the folder above, and its body in a `.cuh` file of the same name.
//!
//! The bodies also compile as C++ for this machine (`host.h`), and the tests run them so, by the same Rust functions,
//! against the CPU's kernels.

pub(super) mod activation;
pub(super) mod batch_norm;
pub(super) mod cross_entropy;
mod devices;
pub(super) mod dropout;
mod finite_guard;
pub(super) mod gather;
mod graph;
#[cfg(test)]
mod host;
mod launch;
pub(super) mod layer_norm;
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

use launch::{Arg, Kernel, Threads, launch};

use super::GradOut;

/// Whether these kernels run on this tensor: a GPU, f32 or f64.
pub(super) fn runs_on(xs: &Tensor) -> bool {
    xs.device().is_cuda() && matches!(xs.dtype(), DType::F32 | DType::F64)
}

/// `buffer ← numbers`
fn write(buffer: &Tensor, numbers: Vec<f64>) -> Result<()> {
    buffer.slice_set(&Tensor::from_vec(numbers, buffer.shape(), buffer.device())?, 0, 0)
}

/// A new tensor for a kernel to fill.
fn room(shape: impl Into<candle_core::Shape>, like: &Tensor) -> Result<Tensor> {
    launch::room(shape.into(), like.dtype(), like.device())
}

/// A new tensor of f64 for a kernel to fill.
fn room_for_sums(count: usize, device: &Device) -> Result<Tensor> {
    launch::room(count.into(), DType::F64, device)
}

/// The sums over the rows of (N, C), joined to what is in the output.
pub(super) fn sum_rows(rows: &Tensor, GradOut { buffer, accumulate }: GradOut<'_>) -> Result<()> {
    let width = buffer.elem_count();
    let count = rows.elem_count() / width.max(1);
    launch(
        rows.device(),
        Kernel::of("sum_rows", rows.dtype()),
        Threads::Columns(width),
        &[
            Arg::Out(buffer),
            Arg::In(rows),
            Arg::Count(count),
            Arg::Count(width),
            Arg::F64(accumulate.beta),
            Arg::F64(accumulate.alpha),
        ],
    )
}

/// `Σ a · b` for each column of (N, C), then `Σ a`: (2 C) in f64.
fn sum_products(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (count, width) = a.dims2()?;
    let sums = room_for_sums(2 * width, a.device())?;
    let args = [Arg::Out(&sums), Arg::In(a), Arg::In(b), Arg::Count(count), Arg::Count(width)];
    launch(a.device(), Kernel::of("sum_products", a.dtype()), Threads::Columns(width), &args)?;
    Ok(sums)
}

/// Accumulates the results of [`sum_products`] into the outputs: the products, then the sums.
fn join(sums: &Tensor, outs: [GradOut<'_>; 2]) -> Result<()> {
    for (place, GradOut { buffer, accumulate }) in outs.into_iter().enumerate() {
        let count = buffer.elem_count();
        let own = sums.narrow(0, place * count, count)?;
        let args = [
            Arg::Out(buffer),
            Arg::In(&own),
            Arg::Count(count),
            Arg::F64(accumulate.beta),
            Arg::F64(accumulate.alpha),
        ];
        launch(buffer.device(), Kernel::of("join", buffer.dtype()), Threads::Each(count), &args)?;
    }
    Ok(())
}

/// The sum of numbers in f64, as a tensor of one.
pub(super) fn total(numbers: &Tensor) -> Result<Tensor> {
    let out = room_for_sums(1, numbers.device())?;
    let args = [Arg::Out(&out), Arg::In(numbers), Arg::Count(numbers.elem_count())];
    launch(numbers.device(), Kernel::untyped("total"), Threads::Blocks(1), &args)?;
    out.reshape(())
}
