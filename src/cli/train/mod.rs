//! `descent train`: from the arguments to a run.

mod arguments;
mod folds;
mod printing;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use super::messages::Messages;
use super::screen::Screen;
use super::signals::Signals;
use crate::error::{Error, Result};
use crate::run::{End, Interrupt, PreparedRun, Run};

pub(super) use arguments::Arguments;
use printing::{describe, print_plan, stopped, summary};

pub(super) fn run(arguments: &Arguments, quiet: bool, messages: Messages) -> anyhow::Result<ExitCode> {
    arguments.compute.use_threads()?;
    if let Some(of) = arguments.folds {
        return folds::run(arguments, of, quiet);
    }
    if arguments.tui && !std::io::stderr().is_terminal() {
        let problem = "--tui needs a terminal on standard error; leave it out";
        return Err(Error::Config(problem.to_owned()).into());
    }
    let interrupt = Interrupt::default();
    let options = arguments.options(None, &interrupt)?;
    let prepared = match &arguments.resume {
        Some(path) => PreparedRun::resume(path, &arguments.set, options)?,
        None => PreparedRun::new(arguments.config(&[])?, options)?,
    };
    if arguments.dry_run {
        print_plan(&prepared)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !quiet && arguments.resume.is_none() {
        describe(&prepared);
    }
    // From here on a signal saves and stops; before, there is nothing to save.
    let signals = Signals::listen(interrupt, arguments.tui)?;
    let run = prepared.start()?;
    let mut screen = match screen(&run, arguments.tui, quiet, messages) {
        Ok(screen) => screen,
        Err(error) => {
            run.discard();
            return Err(error.into());
        }
    };
    let finished = run.train(&mut screen)?;
    if finished.end == End::Interrupted {
        return Ok(stopped(&finished, signals.stop(), quiet));
    }
    write!(std::io::stdout().lock(), "{}", summary(&finished))?;
    Ok(ExitCode::SUCCESS)
}

/// What shows the run.
fn screen(run: &Run, tui: bool, quiet: bool, messages: Messages) -> Result<Screen> {
    if !tui {
        return Ok(Screen::lines(quiet));
    }
    Screen::dashboard(&run.folder().display().to_string(), run.config().run.epochs, messages)
}
