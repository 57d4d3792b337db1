//! `--device` and `--threads`, and `descent list devices`.

use std::io::Write;

use candle_core::Device;
use clap::Args;

use crate::error::{Error, Result};
use crate::kernels::cuda;
use crate::kernels::team;
use crate::names::counted;
use crate::run;

/// The device of a command.
#[derive(Debug, Clone, Args)]
pub(super) struct Compute {
    /// Device to compute on: auto (a GPU if there is one), cpu, cuda or cuda:N.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: String,
    /// Number of CPU threads; by default one per core, at most 8. The results do not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

impl Compute {
    /// Sets the number of threads for the whole process.
    pub(super) fn use_threads(&self) -> Result<()> {
        self.use_threads_or(None)
    }

    /// The same; left out, the number is `otherwise`.
    pub(super) fn use_threads_or(&self, otherwise: Option<usize>) -> Result<()> {
        let Some(threads) = self.threads.or(otherwise) else { return Ok(()) };
        if !(1..=1024).contains(&threads) {
            return Err(Error::Config(format!("--threads {threads}: give a number from 1 to 1024")));
        }
        team::use_threads(threads);
        // candle's own operations run on rayon's pool.
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(|e| {
            let out = "take fewer, or raise the limits of `ulimit -u` and `ulimit -v`";
            Error::Config(format!("--threads {threads}: the system starts no more threads: {e}; {out}"))
        })
    }

    /// The device.
    pub(super) fn device(&self) -> Result<Device> {
        run::choose_device(&self.device)
    }

    /// The device of a rank. Those on a machine take its GPUs in turn, unless one is named.
    pub(super) fn device_of(&self, rank: usize) -> Result<Device> {
        let device = self.device()?;
        if rank == 0 || !device.is_cuda() || self.device.contains(':') {
            return Ok(device);
        }
        let count = cuda::devices().map_or(1, |all| all.len().max(1));
        run::choose_device(&format!("cuda:{}", rank % count))
    }
}

/// Prints the CPU and the GPUs.
pub(super) fn list() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "cpu     {}", counted(team::threads(), "thread"))?;
    match cuda::devices() {
        Ok(all) => {
            for (number, found) in all.iter().enumerate() {
                writeln!(out, "cuda:{number}  {}", super::table::printable(&run::device::line(found)))?;
            }
        }
        Err(problem) => writeln!(out, "cuda    {}", Error::from(problem))?,
    }
    Ok(())
}
