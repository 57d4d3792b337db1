//! The device that a run computes on.

use candle_core::{Device, DeviceLocation};

use crate::error::{Error, Result};
use crate::kernels::cuda::{self, Gpu};
use crate::kernels::team;
use crate::names::counted;

/// The device of this name: `auto` (a GPU if there is one), `cpu`, `cuda` or `cuda:N`.
pub fn choose_device(name: &str) -> Result<Device> {
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
    log(&device);
    Ok(device)
}

/// The first GPU if there is one, else the CPU; logs which.
fn automatic() -> Device {
    match cuda::device(0) {
        Ok(device) => {
            log(&device);
            device
        }
        Err(problem) if cfg!(feature = "cuda") => {
            tracing::info!(
                "{}; training on the CPU, {}",
                Error::from(problem),
                counted(team::threads(), "thread")
            );
            Device::Cpu
        }
        Err(_) => {
            tracing::info!("running on the CPU, {}", counted(team::threads(), "thread"));
            Device::Cpu
        }
    }
}

fn log(device: &Device) {
    if let Some(description) = describe(device) {
        tracing::info!("running on the GPU, {description}");
    }
}

/// A GPU with its number, and the CUDA build of this program; `None` for the CPU.
pub(crate) fn describe(device: &Device) -> Option<String> {
    let DeviceLocation::Cuda { gpu_id } = device.location() else { return None };
    let found = cuda::found(gpu_id).ok()?;
    Some(format!("cuda:{gpu_id}: {}; {}", line(&found), cuda::BUILT_WITH))
}

/// A GPU's name, memory, compute capability and driver.
pub(crate) fn line(Gpu { name, capability: (major, minor), memory: (free, all), driver }: &Gpu) -> String {
    #[allow(clippy::cast_precision_loss, reason = "gibibytes with one digit")]
    let [free, all] = [free, all].map(|bytes| *bytes as f64 / f64::from(1 << 30));
    format!(
        "{name}, {free:.1} of {all:.1} GiB free, compute capability {major}.{minor}, driver for CUDA {}.{}",
        driver.0, driver.1
    )
}
