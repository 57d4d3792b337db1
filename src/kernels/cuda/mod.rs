//! CUDA devices, and the kernels that run there.

#[cfg(feature = "cuda")]
mod libraries;

use candle_core::{Device, Result};

/// The device of this number, from 0.
///
/// # Errors
/// A binary without CUDA, a library that is missing, no such device.
pub fn device(ordinal: usize) -> Result<Device> {
    #[cfg(feature = "cuda")]
    if let Some(library) = libraries::missing() {
        candle_core::bail!("no CUDA device: {library} not found");
    }
    #[cfg(not(feature = "cuda"))]
    if true {
        candle_core::bail!("this binary was built without CUDA (`cargo build --release --features cuda`)");
    }
    Device::new_cuda(ordinal)
}
