//! `descent compare RUN RUN …`: compares runs over epochs, updates, samples and seconds.

mod arguments;
mod names;
mod ranking;
mod tables;
mod variant;
mod variants;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::messages::Messages;
use super::run_folders::run_folders;
use crate::error::{Error, Result};
use crate::run::history::History;
use crate::run::{folder, unfinished};

pub(super) use arguments::Arguments;
use tables::{draw, side_by_side};

pub(super) fn run(arguments: &Arguments, messages: &Messages) -> anyhow::Result<ExitCode> {
    arguments.compute.use_threads()?;
    if let Some(config) = &arguments.train {
        return variants::run(arguments, config, messages);
    }
    let is_set = !arguments.set.all().is_empty();
    for (flag, is_given) in [("--init-from", arguments.initial.is_given()), ("--set", is_set)] {
        if is_given {
            let problem = format!("{flag} is for runs that are trained; it needs --train");
            return Err(Error::Config(problem).into());
        }
    }
    let runs = run_folders(&arguments.runs)?;
    if runs.len() < 2 {
        let problem = "compare takes two runs or more, or a folder that has several";
        return Err(Error::Config(problem.to_owned()).into());
    }
    let runs = with_epochs(runs)?;
    let text = side_by_side(&runs, arguments.metric.as_deref(), &arguments.axis)?;
    draw(arguments, &runs)?;
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The runs of which an epoch has finished.
///
/// # Errors
/// There is none.
fn with_epochs(runs: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    let mut left = Vec::new();
    let mut last = None;
    for run in runs {
        if !run.is_dir() {
            folder::config_of(&run, "compare")?;
        }
        if History::read(&run)?.epochs.is_empty() {
            let problem = unfinished::why_no_epoch(&run);
            tracing::warn!("{}: {problem}; it is left out", run.display());
            last = Some(Error::data(&run, problem));
        } else {
            left.push(run);
        }
    }
    match last {
        Some(error) if left.is_empty() => Err(error),
        _ => Ok(left),
    }
}
