//! `descent compare RUN RUN …`: compares runs over epochs, updates, samples and seconds.

mod arguments;
mod ranking;
mod tables;
mod variant;
mod variants;

use std::io::Write as _;
use std::process::ExitCode;

pub(super) use arguments::Arguments;
use tables::{draw, side_by_side};

pub(super) fn run(arguments: &Arguments, quiet: bool) -> anyhow::Result<ExitCode> {
    arguments.compute.use_threads()?;
    if let Some(config) = &arguments.train {
        return variants::run(arguments, config, quiet);
    }
    let text = side_by_side(&arguments.runs, arguments.metric.as_deref())?;
    draw(arguments, &arguments.runs)?;
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
