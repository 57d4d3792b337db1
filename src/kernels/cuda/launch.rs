//! Launching a kernel of `kernels.cu`.
//!
//! On a GPU, launches are queued and run in order while the host goes on. A kernel writes device memory that no Rust
//! reference ever points to: candle's handles to it are shared freely, and the order of use is that of the stream.
#![allow(unsafe_code, reason = "a kernel takes pointers")]

use std::ffi::c_void;

use candle_core::{DType, Device, Result, Shape, Tensor, bail};

pub(super) use super::grid::{Grid, Threads};

/// The number of constants an update's kernel takes.
pub(super) const CONSTANTS: usize = 16;

/// The gradient's transformation, then the formula's constants.
pub(super) type Constants = [f64; CONSTANTS];

/// An argument of a kernel, in the kernel's order.
#[derive(Clone, Copy)]
pub(super) enum Arg<'a> {
    /// A contiguous tensor that is read.
    In(&'a Tensor),
    /// A contiguous tensor that is written.
    Out(&'a Tensor),
    /// A null pointer.
    Null,
    /// `u64`
    Count(usize),
    /// `u64`
    U64(u64),
    /// `unsigned`
    U32(u32),
    /// `int`
    I32(i32),
    /// `i64`
    I64(i64),
    /// `double`
    F64(f64),
    /// `Slots`
    Slots([Option<&'a Tensor>; 3]),
    /// `Constants`
    Constants(Constants),
}

impl<'a> Arg<'a> {
    /// The tensor where there is one, else null.
    pub(super) fn or_null(tensor: Option<&'a Tensor>) -> Self {
        tensor.map_or(Self::Null, Self::In)
    }
}

/// A new tensor whose elements are what its memory held before: a kernel fills it before anything reads it.
pub(super) fn room(shape: Shape, dtype: DType, device: &Device) -> Result<Tensor> {
    // SAFETY: each caller in this folder hands the tensor to a kernel that writes every element. The tests on an emulated
    // GPU fill fresh memory with NaN, so that one which does not is seen.
    unsafe { Tensor::empty(shape, dtype, device) }
}

/// `buffer ← numbers`, queued. The driver takes what is not pinned before this returns.
pub(super) fn send(buffer: &Tensor, numbers: &[f64]) -> Result<()> {
    if buffer.dtype() != DType::F64 || buffer.elem_count() != numbers.len() {
        bail!("{} numbers for {:?} of {:?}", numbers.len(), buffer.shape(), buffer.dtype());
    }
    match buffer.device() {
        #[cfg(feature = "cuda")]
        Device::Cuda(device) => {
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

/// An argument as a kernel reads it.
#[repr(C)]
union ArgValue {
    word: u64,
    half: u32,
    int: i32,
    long: i64,
    real: f64,
    slots: [u64; 3],
    constants: [f64; CONSTANTS],
}

/// A kernel, by its name in `kernels.cu`.
#[derive(Clone, Copy)]
pub(super) struct Kernel<'a> {
    name: &'a str,
    /// The type of its tensors; `None` if the kernel has one type only.
    dtype: Option<DType>,
}

impl<'a> Kernel<'a> {
    /// One that is there for several types.
    pub(super) fn of(name: &'a str, dtype: DType) -> Self {
        Self { name, dtype: Some(dtype) }
    }

    /// One that is for one type alone.
    pub(super) fn untyped(name: &'a str) -> Self {
        Self { name, dtype: None }
    }

    fn full_name(self) -> Result<String> {
        let Self { name, dtype } = self;
        match dtype {
            None => Ok(name.to_owned()),
            Some(DType::F32) => Ok(format!("{name}_f32")),
            Some(DType::F64) => Ok(format!("{name}_f64")),
            Some(other) => bail!("no kernel for {other:?}"),
        }
    }
}

/// Runs a kernel.
pub(super) fn launch(device: &Device, kernel: Kernel<'_>, threads: Threads, args: &[Arg<'_>]) -> Result<()> {
    let grid = threads.grid()?;
    if grid.blocks == 0 {
        return Ok(());
    }
    let name = kernel.full_name()?;
    let mut values = args.iter().map(|arg| value(*arg)).collect::<Result<Vec<ArgValue>>>()?;
    let mut pointers: Vec<*mut c_void> =
        values.iter_mut().map(|value| std::ptr::from_mut(value).cast()).collect();
    match device {
        Device::Cuda(device) => on_gpu(device, &name, grid, &mut pointers),
        #[cfg(test)]
        Device::Cpu => super::host::launch(&name, grid, &mut pointers),
        _ => bail!("kernel {name} is for GPUs"),
    }
}

fn value(arg: Arg<'_>) -> Result<ArgValue> {
    Ok(match arg {
        Arg::In(tensor) => ArgValue { word: address(tensor, false)? },
        Arg::Out(tensor) => ArgValue { word: address(tensor, true)? },
        Arg::Null => ArgValue { word: 0 },
        Arg::Count(count) => ArgValue { word: count as u64 },
        Arg::U64(word) => ArgValue { word },
        Arg::U32(half) => ArgValue { half },
        Arg::I32(int) => ArgValue { int },
        Arg::I64(long) => ArgValue { long },
        Arg::F64(real) => ArgValue { real },
        Arg::Slots(tensors) => {
            let mut slots = [0; 3];
            for (slot, tensor) in slots.iter_mut().zip(tensors) {
                *slot = tensor.map_or(Ok(0), |tensor| address(tensor, true))?;
            }
            ArgValue { slots }
        }
        Arg::Constants(constants) => ArgValue { constants },
    })
}

/// The address of a contiguous tensor's first element.
#[cfg_attr(not(test), expect(unused_variables, reason = "on a GPU all memory can be written"))]
pub(super) fn address(tensor: &Tensor, written: bool) -> Result<u64> {
    let (storage, layout) = tensor.storage_and_layout();
    let Some((start, _)) = layout.contiguous_offsets() else {
        bail!("a kernel needs contiguous elements, got strides {:?}", layout.stride());
    };
    match &*storage {
        #[cfg(feature = "cuda")]
        candle_core::Storage::Cuda(storage) => gpu_address(storage, start),
        #[cfg(test)]
        candle_core::Storage::Cpu(_) => {
            drop(storage);
            super::host::address(tensor, written)
        }
        _ => bail!("a kernel for GPUs was given a tensor of another device (at {start})"),
    }
}

#[cfg(feature = "cuda")]
fn gpu_address(storage: &candle_core::CudaStorage, start: usize) -> Result<u64> {
    use candle_core::cuda_backend::cudarc::driver::DevicePtr;
    use candle_core::cuda_backend::{CudaDType, CudaDevice};

    fn begin<T: CudaDType>(storage: &candle_core::CudaStorage, device: &CudaDevice) -> Result<u64> {
        let stream = device.cuda_stream();
        Ok(storage.as_cuda_slice::<T>()?.device_ptr(&stream).0)
    }
    use candle_core::backend::BackendStorage;
    let (device, dtype) = (&storage.device, storage.dtype());
    let begin = match dtype {
        DType::U8 => begin::<u8>(storage, device),
        DType::U32 => begin::<u32>(storage, device),
        DType::I64 => begin::<i64>(storage, device),
        DType::F32 => begin::<f32>(storage, device),
        DType::F64 => begin::<f64>(storage, device),
        other => bail!("no kernel takes {other:?}"),
    }?;
    Ok(begin + (start * dtype.size_in_bytes()) as u64)
}

#[cfg(feature = "cuda")]
fn on_gpu(
    device: &candle_core::CudaDevice,
    name: &str,
    Grid { blocks, threads: [x, y] }: Grid,
    pointers: &mut [*mut c_void],
) -> Result<()> {
    use candle_core::cuda_backend::WrapErr;
    use candle_core::cuda_backend::cudarc::driver::{DeviceRepr, LaunchConfig, PushKernelArg};

    /// The driver reads the number of bytes that the kernel declares.
    #[repr(transparent)]
    struct Parameter(ArgValue);
    // SAFETY: an `ArgValue` is made of plain numbers, laid out as C has them.
    unsafe impl DeviceRepr for Parameter {}

    let (function, stream) = (function(device, name)?, device.cuda_stream());
    let mut launch = stream.launch_builder(&function);
    for pointer in pointers {
        // SAFETY: each points to an `ArgValue` of the caller, which outlives the launch; `Parameter` has its layout.
        launch.arg(unsafe { &*pointer.cast::<Parameter>() });
    }
    let config = LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (x, y, 1), shared_mem_bytes: 0 };
    // SAFETY: the wrappers in this folder give each kernel the arguments that it declares, with tensors of the sizes
    // that it goes over; the tests run every one of them on the same code.
    unsafe { launch.launch(config) }.w()?;
    Ok(())
}

/// The kernel of this name on this device, which keeps the module and the functions that the driver found in it.
///
/// They stay for the life of the process: all devices of one number share one context of the driver.
#[cfg(feature = "cuda")]
fn function(
    device: &candle_core::CudaDevice,
    name: &str,
) -> Result<candle_core::cuda_backend::cudarc::driver::CudaFunction> {
    use std::sync::{Arc, Mutex, PoisonError};

    use candle_core::cuda_backend::WrapErr;
    use candle_core::cuda_backend::cudarc::{driver, nvrtc::Ptx};
    use rustc_hash::FxHashMap;

    /// PTX, or a fat binary that has machine code beside it.
    const IMAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kernels.image"));
    struct LoadedModule {
        ordinal: usize,
        module: Arc<driver::CudaModule>,
        functions: FxHashMap<String, driver::CudaFunction>,
    }
    static LOADED: Mutex<Vec<LoadedModule>> = Mutex::new(Vec::new());

    let stream = device.cuda_stream();
    let ordinal = stream.context().ordinal();
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let place = if let Some(place) = loaded.iter().position(|module| module.ordinal == ordinal) {
        place
    } else {
        let module = stream.context().load_module(Ptx::from_binary(IMAGE.to_vec())).w()?;
        loaded.push(LoadedModule { ordinal, module, functions: FxHashMap::default() });
        loaded.len() - 1
    };
    let LoadedModule { module, functions, .. } = &mut loaded[place];
    if let Some(function) = functions.get(name) {
        return Ok(function.clone());
    }
    let function = module.load_function(name).w()?;
    functions.insert(name.to_owned(), function.clone());
    Ok(function)
}

#[cfg(not(feature = "cuda"))]
fn on_gpu(_: &candle_core::CudaDevice, name: &str, _: Grid, _: &mut [*mut c_void]) -> Result<()> {
    bail!("kernel {name} needs a binary with the feature `cuda`")
}
