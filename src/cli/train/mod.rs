//! `descent train`: from the arguments to a run.

mod arguments;
mod bag;
mod folds;
mod printing;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::messages::{Messages, sentence};
use super::ranks::Ranks;
use super::screen::Screen;
use super::signals::Signals;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::run::ranks::agree;
use crate::run::{End, Interrupt, PreparedRun, Quiet, Run, RunOptions};

pub(super) use arguments::Arguments;
use bag::BagPlan;
use printing::{describe, print_plan, stopped, summary};

pub(super) fn run(arguments: &Arguments, messages: Messages, ranks: &Ranks) -> anyhow::Result<ExitCode> {
    // First of all: looking at a table takes threads already.
    agree(&**ranks.all(), arguments.compute.use_threads_or(ranks.threads()))?;
    if let Some(of) = arguments.folds {
        return folds::run(arguments, of, &messages);
    }
    let planned = match agree(&**ranks.all(), PlannedTraining::of(arguments))? {
        PlannedTraining::Bag(bag) => return bag.run(arguments, &messages),
        PlannedTraining::Run(planned) => planned,
    };
    let quiet = messages.is_quiet() || !ranks.is_first();
    let interrupt = Interrupt::default();
    let prepared = prepare(arguments, planned, ranks, &interrupt)?;
    if arguments.dry_run {
        if ranks.is_first() {
            print_plan(&prepared)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    ranks.introduce(prepared.batch(), quiet);
    if !quiet && arguments.resume.is_none() {
        describe(&prepared);
    }
    // From here on a signal saves and stops; before, there is nothing to save.
    let started =
        Signals::listen(interrupt, arguments.tui).and_then(|signals| Ok((signals, prepared.start()?)));
    let (signals, run) = agree(&**ranks.all(), started)?;
    match train(run, &signals, arguments.tui, quiet, messages) {
        Err(error) if ranks.are_several() => {
            let code = error.downcast_ref().map_or(1, Error::exit_code);
            ranks.fail(&sentence(&error), code, error.downcast_ref().is_some_and(Error::is_of_all_ranks))
        }
        trained => trained,
    }
}

/// The training that the arguments ask for.
enum PlannedTraining {
    Bag(Box<BagPlan>),
    Run(PlannedRun),
}

/// A run that begins with a config, or goes on in a folder.
enum PlannedRun {
    New(Box<Config>),
    Resumed(PathBuf),
}

impl PlannedTraining {
    fn of(arguments: &Arguments) -> Result<Self> {
        if let Some(folder) = &arguments.resume {
            let bag = BagPlan::resumed(folder, &arguments.set)?;
            let run = || Self::Run(PlannedRun::Resumed(folder.clone()));
            return Ok(bag.map_or_else(run, |bag| Self::Bag(Box::new(bag))));
        }
        let bag = |of| BagPlan::new(arguments, of).map(|bag| Self::Bag(Box::new(bag)));
        if let Some(of) = arguments.bag {
            return bag(of);
        }
        let config = arguments.config(&[])?;
        match config.preparation.bag.filter(|bag| bag.is_whole()) {
            Some(whole) => bag(whole.of),
            None => Ok(Self::Run(PlannedRun::New(Box::new(config)))),
        }
    }
}

/// The run, for which nothing is written yet, on all ranks or on none.
fn prepare(
    arguments: &Arguments,
    planned: PlannedRun,
    ranks: &Ranks,
    interrupt: &Interrupt,
) -> Result<PreparedRun> {
    let options = agree(&**ranks.all(), options(arguments, ranks, interrupt))?;
    let prepared = match planned {
        PlannedRun::Resumed(folder) => PreparedRun::resume(&folder, &arguments.set.as_strs(), options),
        PlannedRun::New(config) => PreparedRun::new(*config, options),
    };
    agree(&**ranks.all(), prepared)
}

/// The options of the run, on the device that this rank has.
fn options(arguments: &Arguments, ranks: &Ranks, interrupt: &Interrupt) -> Result<RunOptions> {
    if arguments.tui && !std::io::stderr().is_terminal() {
        let problem = "--tui needs a terminal on standard error; leave it out";
        return Err(Error::Config(problem.to_owned()));
    }
    let options = arguments.options_on(None, interrupt, ranks.local())?;
    Ok(RunOptions { ranks: Arc::clone(ranks.all()), ..options })
}

/// Trains the run.
fn train(
    run: Run,
    signals: &Signals,
    tui: bool,
    quiet: bool,
    messages: Messages,
) -> anyhow::Result<ExitCode> {
    if !run.owns_folder() {
        let finished = run.train(&mut Quiet)?;
        let is_stopped = finished.end == End::Interrupted;
        return Ok(if is_stopped { stopped(&finished, signals.stop(), true) } else { ExitCode::SUCCESS });
    }
    let mut screen = match screen(&run, tui, quiet, messages) {
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

/// The screen of the run.
fn screen(run: &Run, tui: bool, quiet: bool, messages: Messages) -> Result<Screen> {
    if !tui {
        return Ok(Screen::lines(quiet));
    }
    Screen::dashboard(&run.folder().display().to_string(), run.config().run.epochs, messages)
}
