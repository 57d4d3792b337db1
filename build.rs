//! With the feature `cuda`: the kernels in `src/kernels/cuda` become PTX, and trampolines take the place of the CUDA
//! libraries, so that the binary starts where there are none.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "cuda")]
    if let Err(problem) = cuda::build() {
        eprintln!("{problem}");
        std::process::exit(1);
    }
}

#[cfg(feature = "cuda")]
#[path = "src/kernels/cuda/build/mod.rs"]
mod cuda;
