//! The GPUs of this machine.

use candle_core::{Device, Result, bail};

/// The versions of candle and CUDA that this program was built with, and its architectures.
#[cfg(feature = "cuda")]
pub const BUILT_WITH: &str = env!("DESCENT_CUDA");

/// The versions of candle and CUDA that this program was built with, and its architectures.
#[cfg(not(feature = "cuda"))]
pub const BUILT_WITH: &str = "built without CUDA";

/// The device of this number, from 0.
///
/// # Errors
/// A binary without CUDA, a library that is missing, no such device.
pub fn device(ordinal: usize) -> Result<Device> {
    require_libraries()?;
    let device = Device::new_cuda(ordinal).or_else(|error| no_device(&error))?;
    #[cfg(feature = "cuda")]
    {
        keep_memory(ordinal);
        leave_out_events(&device);
    }
    Ok(device)
}

/// An error for a binary without CUDA, and on a machine without its libraries.
fn require_libraries() -> Result<()> {
    if !cfg!(feature = "cuda") {
        bail!("this binary was built without CUDA (`cargo build --release --features cuda`)");
    }
    #[cfg(feature = "cuda")]
    if let Some(library) = super::libraries::missing() {
        bail!("no CUDA device: {library} not found");
    }
    Ok(())
}

/// The driver's message, without its names for it and the backtrace that candle appends.
fn no_device<T>(error: &candle_core::Error) -> Result<T> {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    bail!("no CUDA device: {}", line.split('"').nth(1).unwrap_or(line))
}

/// A GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// Its name, as its maker calls it.
    pub name: String,
    /// Its compute capability.
    pub capability: (i32, i32),
    /// Free and all memory in bytes.
    pub memory: (usize, usize),
    /// The newest CUDA that the driver knows, as major and minor.
    pub driver: (i32, i32),
}

/// The GPUs, in the order of their numbers.
///
/// # Errors
/// As [`device`].
pub fn devices() -> Result<Vec<Gpu>> {
    require_libraries()?;
    (0..count().or_else(|error| no_device(&error))?).map(found).collect()
}

/// The properties of the GPU with this number.
///
/// # Errors
/// As [`device`].
#[cfg(feature = "cuda")]
#[allow(unsafe_code, reason = "the driver's version has no safe function")]
pub fn found(ordinal: usize) -> Result<Gpu> {
    use candle_core::cuda_backend::WrapErr;
    use candle_core::cuda_backend::cudarc::driver::{CudaContext, sys};

    let mut version = 0;
    // SAFETY: the function writes one number, for which there is a place.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result().w()?;
    let context = CudaContext::new(ordinal).w()?;
    Ok(Gpu {
        name: context.name().w()?,
        capability: context.compute_capability().w()?,
        memory: context.mem_get_info().w()?,
        driver: (version / 1000, version % 1000 / 10),
    })
}

/// The properties of the GPU with this number.
///
/// # Errors
/// As [`device`].
#[cfg(not(feature = "cuda"))]
pub fn found(_: usize) -> Result<Gpu> {
    require_libraries()?;
    bail!("no CUDA device")
}

#[cfg(feature = "cuda")]
fn count() -> Result<usize> {
    use candle_core::cuda_backend::WrapErr;
    use candle_core::cuda_backend::cudarc::driver::CudaContext;

    Ok(usize::try_from(CudaContext::device_count().w()?).unwrap_or(0))
}

#[cfg(not(feature = "cuda"))]
fn count() -> Result<usize> {
    require_libraries().map(|()| 0)
}

/// Makes no events for tensors: cudarc has two for each, with which streams would wait for each other.
#[cfg(feature = "cuda")]
#[allow(unsafe_code, reason = "with several streams they would be needed")]
fn leave_out_events(device: &Device) {
    if let Ok(device) = device.as_cuda_device() {
        // SAFETY: all work is queued by one thread, on the one stream that candle has for it; cudarc does not look at the
        // events either while no other stream is made.
        unsafe { device.disable_event_tracking() };
    }
}

/// Lets the driver keep memory that tensors have left for those to come, instead of giving it back whenever the host
/// waits. A driver that cannot is none the worse for it.
#[cfg(feature = "cuda")]
#[allow(unsafe_code, reason = "memory pools have no safe functions")]
fn keep_memory(ordinal: usize) {
    use candle_core::cuda_backend::cudarc::driver::{result, sys};

    let Ok(device) = result::device::get(i32::try_from(ordinal).unwrap_or(0)) else { return };
    let mut most = u64::MAX;
    // SAFETY: the device is one of the driver's, its pool lives as long as it does, and the attribute is one number of
    // 64 bits, which is read.
    unsafe {
        if let Ok(pool) = result::device::get_default_mem_pool(device) {
            let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
            let _ = result::mem_pool::set_attribute(pool, attribute, (&raw mut most).cast());
        }
    }
}
