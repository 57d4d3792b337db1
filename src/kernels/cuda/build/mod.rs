//! The part of `build.rs` for the feature `cuda`.

mod trampolines;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const KERNELS: &str = "src/kernels/cuda";

/// The variable that names compute capabilities, as in `90,100`, for which the kernels are compiled to machine code
/// (SASS) too, so that the driver need not do it when the program starts.
const SASS: &str = "DESCENT_CUDA_SASS";

/// Compiles the kernels, and on Linux for x86-64 puts trampolines in the place of the CUDA libraries.
pub(crate) fn build() -> Result<(), String> {
    println!("cargo:rerun-if-changed={KERNELS}");
    println!("cargo:rerun-if-changed=Cargo.lock");
    println!("cargo:rerun-if-env-changed=CUDA_HOME");
    let home = home()?;
    let out = PathBuf::from(variable("OUT_DIR")?);
    let sass = sass()?;
    let capability = kernels(&home, &out, &sass)?;
    let machine_code: Vec<String> =
        sass.iter().map(|sm| format!(", machine code for {}", dotted(*sm))).collect();
    let unknown = || "of unknown version".to_owned();
    println!(
        "cargo:rustc-env=DESCENT_CUDA=descent {} on candle {}, CUDA {}, kernels for compute capability {}{}",
        variable("CARGO_PKG_VERSION")?,
        locked("candle-core").unwrap_or_else(unknown),
        version(&home).unwrap_or_else(unknown),
        dotted(capability),
        machine_code.concat(),
    );
    if variable("CARGO_CFG_TARGET_OS")? == "linux" && variable("CARGO_CFG_TARGET_ARCH")? == "x86_64" {
        trampolines::build(&home, &out)?;
    }
    Ok(())
}

/// Compiles the kernels to `kernels.image`, which a driver loads: PTX, or a fat binary of PTX and machine code for these
/// capabilities. Returns the capability that the PTX is for.
fn kernels(home: &Path, out: &Path, sass: &[usize]) -> Result<usize, String> {
    let flags = ["-std=c++17", "-O3"];
    let builder = cudaforge::KernelBuilder::new()
        .source_files([format!("{KERNELS}/kernels.cu")])
        // What it watches are files, not folders; that this is asked at all means that one has changed.
        .no_incremental()
        .args(flags);
    let failed = |problem: String| {
        format!("the CUDA kernels do not compile: {problem}; `make cuda-toolkit` installs a compiler")
    };
    builder.build_ptx().map_err(|e| failed(e.to_string()))?;
    let asked = env::var("CUDA_COMPUTE_CAP").ok().and_then(|text| text.trim().parse().ok());
    let capability = builder.get_compute_cap().or(asked).unwrap_or_default();
    let image = out.join("kernels.image");
    if sass.is_empty() {
        let mut ptx = std::fs::read(out.join("kernels.ptx")).map_err(|e| failed(e.to_string()))?;
        // The driver takes PTX as C does a string.
        ptx.push(0);
        std::fs::write(&image, ptx).map_err(|e| failed(e.to_string()))?;
    } else {
        let compiler = env::var_os("NVCC").map_or_else(|| home.join("bin/nvcc"), PathBuf::from);
        let mut command = Command::new(compiler);
        // Not compressed: the emulated GPU reads the PTX.
        command.args(flags).args(["-fatbin", "--no-compress", "--default-stream", "per-thread"]);
        command.arg(format!("-gencode=arch=compute_{capability},code=compute_{capability}"));
        command.args(sass.iter().map(|sm| format!("-gencode=arch=compute_{sm},code=sm_{sm}")));
        command.arg("-o").arg(&image).arg(format!("{KERNELS}/kernels.cu"));
        let status = command.status().map_err(|e| failed(format!("{command:?}: {e}")))?;
        if !status.success() {
            return Err(failed(format!("{command:?}: {status}")));
        }
    }
    Ok(capability)
}

/// The capabilities that [`SASS`] names.
fn sass() -> Result<Vec<usize>, String> {
    println!("cargo:rerun-if-env-changed={SASS}");
    let text = env::var(SASS).unwrap_or_default();
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.parse().map_err(|e| format!("{SASS}={text}: {word}: {e}"))).collect()
}

/// 90 as 9.0.
fn dotted(capability: usize) -> String {
    format!("{}.{}", capability / 10, capability % 10)
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
