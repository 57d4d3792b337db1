//! Numbers from the host into memory that is there already.
#![allow(unsafe_code, reason = "the driver takes an address")]

use candle_core::{DType, Result, Tensor, bail};

#[cfg(feature = "cuda")]
use super::launch::address;

/// `buffer ← numbers`, queued. The driver takes what is not pinned before this returns.
pub(super) fn send(buffer: &Tensor, numbers: &[f64]) -> Result<()> {
    if buffer.dtype() != DType::F64 || buffer.elem_count() != numbers.len() {
        bail!("{} numbers for {:?} of {:?}", numbers.len(), buffer.shape(), buffer.dtype());
    }
    match buffer.device() {
        #[cfg(feature = "cuda")]
        candle_core::Device::Cuda(device) => {
            use candle_core::cuda_backend::WrapErr;
            use candle_core::cuda_backend::cudarc::driver::result::memcpy_htod_async;

            let (stream, place) = (device.cuda_stream(), address(buffer, true)?);
            stream.context().bind_to_thread().w()?;
            // SAFETY: the buffer has room for as many numbers, and lives on the stream's device.
            unsafe { memcpy_htod_async(place, numbers, stream.cu_stream()) }.w()?;
            Ok(())
        }
        device => buffer.slice_set(&Tensor::from_slice(numbers, buffer.shape(), device)?, 0, 0),
    }
}
