//! What `build.rs` does for the feature `cuda`.

mod trampolines;

use std::env;
use std::path::{Path, PathBuf};

const KERNELS: &str = "src/kernels/cuda";

/// Compiles the kernels to PTX, and on Linux for x86-64 puts trampolines in the place of the CUDA libraries.
pub(crate) fn build() -> Result<(), String> {
    println!("cargo:rerun-if-changed={KERNELS}");
    println!("cargo:rerun-if-changed=Cargo.lock");
    println!("cargo:rerun-if-env-changed=CUDA_HOME");
    let home = home()?;
    let capability = kernels()?;
    let unknown = || "of unknown version".to_owned();
    println!(
        "cargo:rustc-env=DESCENT_CUDA=descent {} on candle {}, CUDA {}, kernels for compute capability {}.{}",
        variable("CARGO_PKG_VERSION")?,
        locked("candle-core").unwrap_or_else(unknown),
        version(&home).unwrap_or_else(unknown),
        capability / 10,
        capability % 10
    );
    if variable("CARGO_CFG_TARGET_OS")? == "linux" && variable("CARGO_CFG_TARGET_ARCH")? == "x86_64" {
        trampolines::build(&home, Path::new(&variable("OUT_DIR")?))?;
    }
    Ok(())
}

/// Compiles the kernels, and gives the compute capability that they are for.
fn kernels() -> Result<usize, String> {
    let builder = cudaforge::KernelBuilder::new()
        .source_files([format!("{KERNELS}/kernels.cu")])
        // What it watches are files, not folders; that this is asked at all means that one has changed.
        .no_incremental()
        .arg("-std=c++17")
        .arg("-O3");
    builder.build_ptx().map_err(|e| {
        format!("the CUDA kernels do not compile: {e}; `make cuda-toolkit` installs a compiler")
    })?;
    let asked = env::var("CUDA_COMPUTE_CAP").ok().and_then(|text| text.trim().parse().ok());
    Ok(builder.get_compute_cap().or(asked).unwrap_or_default())
}

/// The version of a dependency in Cargo.lock.
fn locked(name: &str) -> Option<String> {
    let lock = std::fs::read_to_string("Cargo.lock").ok()?;
    let named = format!("name = \"{name}\"\n");
    let package = lock.split("[[package]]").find(|package| package.contains(&named))?;
    Some(package.split("version = \"").nth(1)?.split('"').next()?.to_owned())
}

/// The toolkit's version, by its header.
fn version(home: &Path) -> Option<String> {
    let header = std::fs::read_to_string(home.join("include/cuda.h")).ok()?;
    let number: u32 =
        header.split("#define CUDA_VERSION ").nth(1)?.split_whitespace().next()?.parse().ok()?;
    Some(format!("{}.{}", number / 1000, number % 1000 / 10))
}

/// The folder of the CUDA toolkit.
fn home() -> Result<PathBuf, String> {
    for name in ["CUDA_HOME", "CUDA_PATH"] {
        if let Some(home) = env::var_os(name) {
            return Ok(PathBuf::from(home));
        }
    }
    // Where the compiler is.
    let path = env::var_os("PATH").unwrap_or_default();
    let compiler = env::split_paths(&path).map(|folder| folder.join("nvcc")).find(|file| file.is_file());
    let compiler = compiler.and_then(|file| file.canonicalize().ok());
    if let Some(home) = compiler.as_deref().and_then(Path::parent).and_then(Path::parent) {
        return Ok(home.to_owned());
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
