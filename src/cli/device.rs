//! `--device` and `--threads`, and `descent list devices`.

use std::io::Write;

use candle_core::{Device, DeviceLocation};

use crate::error::{Error, Result};
use crate::kernels::cuda::{self, Found};
use crate::kernels::team;

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
    let device = cuda::device(ordinal).map_err(|problem| {
        Error::Config(format!(
            "--device {name}: {}; use --device cpu, or auto to take a GPU where there is one, and `descent list \
             devices` to see which there are",
            Error::from(problem)
        ))
    })?;
    say(&device);
    Ok(device)
}

/// The GPU where there is one, else the CPU; says which.
fn automatic() -> Device {
    match cuda::device(0) {
        Ok(device) => {
            say(&device);
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

fn say(device: &Device) {
    if let Some(description) = describe(device) {
        tracing::info!("running on the GPU, {description}");
    }
}

/// A GPU with its number, and what this program was built with for it; nothing of the CPU.
pub(super) fn describe(device: &Device) -> Option<String> {
    let DeviceLocation::Cuda { gpu_id } = device.location() else { return None };
    let found = cuda::found(gpu_id).ok()?;
    Some(format!("cuda:{gpu_id}: {}; {}", line(&found), cuda::BUILT_WITH))
}

fn line(Found { name, capability: (major, minor), memory: (free, all), driver }: &Found) -> String {
    #[allow(clippy::cast_precision_loss, reason = "gibibytes with one digit")]
    let [free, all] = [free, all].map(|bytes| *bytes as f64 / f64::from(1 << 30));
    format!(
        "{name}, {free:.1} of {all:.1} GiB free, compute capability {major}.{minor}, driver for CUDA {}.{}",
        driver.0, driver.1
    )
}

/// Prints the CPU and the GPUs.
pub(super) fn list() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "cpu     {} threads", team::threads())?;
    match cuda::devices() {
        Ok(all) => {
            for (number, found) in all.iter().enumerate() {
                writeln!(out, "cuda:{number}  {}", super::table::printable(&line(found)))?;
            }
        }
        Err(problem) => writeln!(out, "cuda    {}", Error::from(problem))?,
    }
    Ok(())
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
