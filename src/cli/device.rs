//! `--device` and `--threads`.

use candle_core::Device;

use crate::error::{Error, Result};
use crate::kernels::{cuda, team};

/// The device of this name: auto, cpu, cuda or cuda:N.
pub(super) fn choose(name: &str) -> Result<Device> {
    let ordinal = match name {
        "cpu" => return Ok(Device::Cpu),
        "auto" => return Ok(automatic()),
        "cuda" => Some(0),
        other => other.strip_prefix("cuda:").and_then(|n| n.parse().ok()),
    };
    let Some(ordinal) = ordinal else {
        return Err(Error::Config(format!(
            "--device {}: unknown device; known are auto, cpu, cuda and cuda:N",
            name.escape_debug()
        )));
    };
    cuda::device(ordinal).map_err(|problem| {
        Error::Config(format!(
            "--device {name}: {}; use --device cpu, or auto to take a GPU where there is one",
            Error::from(problem)
        ))
    })
}

/// The GPU where there is one, else the CPU; says which.
fn automatic() -> Device {
    match cuda::device(0) {
        Ok(device) => {
            tracing::info!("running on the GPU, cuda:0");
            device
        }
        Err(problem) if cfg!(feature = "cuda") => {
            tracing::info!("{}; training on the CPU, {} threads", Error::from(problem), team::threads());
            Device::Cpu
        }
        Err(_) => {
            tracing::info!("running on the CPU, {} threads", team::threads());
            Device::Cpu
        }
    }
}

/// Sets the number of threads for the whole process; it changes the speed, never the bits.
pub(super) fn use_threads(threads: Option<usize>) -> Result<()> {
    let Some(threads) = threads else { return Ok(()) };
    if !(1..=1024).contains(&threads) {
        return Err(Error::Config(format!("--threads {threads}: give a number from 1 to 1024")));
    }
    team::use_threads(threads);
    // candle's own operations run on rayon's pool.
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|e| Error::Config(format!("--threads {threads}: {e}")))
}
