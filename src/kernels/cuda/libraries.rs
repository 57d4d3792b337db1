//! The CUDA libraries that are installed.
#![allow(unsafe_code, reason = "the trampolines are written in C")]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(super) fn missing() -> Option<String> {
    use std::ffi::{CStr, c_char};

    unsafe extern "C" {
        fn descent_cuda_missing() -> *const c_char;
    }
    // SAFETY: the function takes nothing, and gives null or a constant string of its own.
    unsafe {
        let file = descent_cuda_missing();
        (!file.is_null()).then(|| CStr::from_ptr(file).to_string_lossy().into_owned())
    }
}

/// Elsewhere the program does not start without them.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub(super) fn missing() -> Option<String> {
    None
}
