//! `descent verify RUN --against torch`: compares a run's updates with PyTorch's.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::initial_weights::InitialWeights;
use super::paths;
use super::settings::Settings;
use crate::export::{self, VerifyRequest};
use crate::run::RunOptions;
use crate::trainer::FloatType;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run folder.
    #[arg(value_parser = paths::path())]
    run: PathBuf,
    /// What to compare with.
    #[arg(long, value_name = "TOOL")]
    against: Against,
    /// Number of updates to compare, at most the run's; by default an epoch, but not more than 20.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// The type in which both compute. In f64 rounding does not matter, whatever type the run has. In f32 it does: Adam and
    /// others make a step of any sign where a gradient is 0 but for rounding.
    #[arg(long, value_name = "TYPE", default_value = "f64")]
    dtype: Dtype,
    /// The largest difference of a tensor, relative to its largest value; by default 1e-7, with --dtype f32 1e-3, and with the
    /// optimizer muon, which PyTorch computes in bfloat16, 1e-2.
    #[arg(long, value_name = "T", value_parser = tolerance)]
    tolerance: Option<f64>,
    /// The Python to run; by default python3. It needs torch and numpy.
    #[arg(long, value_name = "PATH", value_parser = paths::path())]
    python: Option<PathBuf>,
    /// Keep the script and its data in this folder, new or empty.
    #[arg(long, value_name = "DIR", value_parser = paths::path())]
    output: Option<PathBuf>,
    #[command(flatten)]
    set: Settings,
    #[command(flatten)]
    initial: InitialWeights,
}

/// What a run is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Against {
    /// PyTorch, by a script that makes the same updates.
    Torch,
}

/// The type of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dtype {
    /// 64 bits.
    F64,
    /// 32 bits.
    F32,
}

fn tolerance(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "a number such as 1e-6".to_owned())?;
    if number.is_finite() && number >= 0.0 { Ok(number) } else { Err("a number of 0 or more".to_owned()) }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Against::Torch = arguments.against;
    let verdict = export::verify(&VerifyRequest {
        run: arguments.run.clone(),
        set: arguments.set.all().to_vec(),
        start: arguments.initial.options(RunOptions::default()),
        dtype: match arguments.dtype {
            Dtype::F64 => FloatType::F64,
            Dtype::F32 => FloatType::F32,
        },
        steps: arguments.steps,
        tolerance: arguments.tolerance,
        python: arguments.python.clone(),
        output: arguments.output.clone(),
    })?;
    std::io::stdout().lock().write_all(verdict.text.as_bytes())?;
    Ok(ExitCode::from(u8::from(!verdict.agrees)))
}
