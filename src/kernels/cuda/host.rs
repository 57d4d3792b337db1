//! The kernels as a C++ compiler makes them for this machine: how tests run them without a GPU.
#![allow(unsafe_code, reason = "the kernels are C++")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use candle_core::{DType, Result, Tensor, WithDType, bail};

use super::super::storage::{edit, view};
use super::launch::Grid;

/// As `descent_launch` in host.h.
type Launch = unsafe extern "C" fn(*const c_char, *const u32, *const u32, *mut *mut c_void, usize) -> c_int;

/// Compiles the kernels once a process.
fn library() -> Result<&'static Mutex<libloading::Library>> {
    static LIBRARY: OnceLock<std::result::Result<Mutex<libloading::Library>, String>> = OnceLock::new();
    let built = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let file = folder.path().join("kernels.so");
        let root = std::env::var_os("DESCENT_TEST_ROOT").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let source = Path::new(&root).join("src/kernels/cuda/kernels.cu");
        let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
        let output = Command::new(&compiler)
            .args(["-std=c++17", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-x", "c++"])
            .arg(&source)
            .arg("-o")
            .arg(&file)
            .output()
            .map_err(|e| format!("{compiler}: {e}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        // SAFETY: what runs when it is loaded is the list of its kernels.
        unsafe { libloading::Library::new(&file) }.map(Mutex::new).map_err(|e| e.to_string())
    });
    built.as_ref().map_err(|problem| candle_core::Error::Msg(problem.clone()))
}

pub(super) fn launch(
    name: &str,
    Grid { blocks, threads: [x, y] }: Grid,
    pointers: &mut [*mut c_void],
) -> Result<()> {
    // One at a time: a block's shared memory is static there.
    let library = library()?.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let name = CString::new(name).map_err(candle_core::Error::wrap)?;
    // SAFETY: the type is that of the function in host.h; the pointers are the arguments of the kernel of this name,
    // whose number it checks.
    let done = unsafe {
        let launch = library.get::<Launch>(b"descent_launch").map_err(candle_core::Error::wrap)?;
        launch(
            name.as_ptr(),
            [blocks, 1, 1].as_ptr(),
            [x, y, 1].as_ptr(),
            pointers.as_mut_ptr(),
            pointers.len(),
        )
    };
    match done {
        0 => Ok(()),
        1 => bail!("no kernel {name:?}"),
        _ => bail!("kernel {name:?} takes another number of arguments than {}", pointers.len()),
    }
}

/// The address of a CPU tensor's first element.
pub(super) fn address(tensor: &Tensor, written: bool) -> Result<u64> {
    fn read<T: WithDType>(tensor: &Tensor) -> Result<u64> {
        Ok(view::<T>(tensor)?.as_ptr().expose_provenance() as u64)
    }
    match (tensor.dtype(), written) {
        (DType::F32, true) => edit::<f32, _>(tensor, |xs| xs.as_mut_ptr().expose_provenance() as u64),
        (DType::F64, true) => edit::<f64, _>(tensor, |xs| xs.as_mut_ptr().expose_provenance() as u64),
        (DType::F32, false) => read::<f32>(tensor),
        (DType::F64, false) => read::<f64>(tensor),
        (DType::U8, false) => read::<u8>(tensor),
        (DType::U32, false) => read::<u32>(tensor),
        // Written: a counter of BatchNorm's.
        (DType::I64, _) => read::<i64>(tensor),
        (other, _) => bail!("no kernel writes {other:?}"),
    }
}
