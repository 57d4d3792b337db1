//! What `build.rs` does for the feature `cuda`.

mod trampolines;

use std::env;
use std::path::{Path, PathBuf};

const KERNELS: &str = "src/kernels/cuda";

/// Compiles the kernels to PTX, and on Linux for x86-64 puts trampolines in the place of the CUDA libraries.
pub(crate) fn build() -> Result<(), String> {
    println!("cargo:rerun-if-changed={KERNELS}");
    println!("cargo:rerun-if-env-changed=CUDA_HOME");
    let out = PathBuf::from(variable("OUT_DIR")?);
    kernels(&out)?;
    if variable("CARGO_CFG_TARGET_OS")? == "linux" && variable("CARGO_CFG_TARGET_ARCH")? == "x86_64" {
        trampolines::build(&home()?, &out)?;
    }
    Ok(())
}

fn kernels(out: &Path) -> Result<(), String> {
    let ptx = cudaforge::KernelBuilder::new()
        .source_files([format!("{KERNELS}/kernels.cu")])
        .watch([KERNELS])
        .arg("-std=c++17")
        .arg("-O3")
        .build_ptx();
    ptx.map(|_| ()).map_err(|e| {
        format!(
            "the CUDA kernels do not compile: {e}; `make cuda-toolkit` installs a compiler. {}",
            out.display()
        )
    })
}

/// The folder of the CUDA toolkit.
fn home() -> Result<PathBuf, String> {
    for name in ["CUDA_HOME", "CUDA_PATH"] {
        if let Some(home) = env::var_os(name) {
            return Ok(PathBuf::from(home));
        }
    }
    let usual = Path::new("/usr/local/cuda");
    if usual.is_dir() {
        return Ok(usual.to_owned());
    }
    Err("no CUDA toolkit: set CUDA_HOME, or install one with `make cuda-toolkit`".to_owned())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|e| format!("{name}: {e}"))
}
