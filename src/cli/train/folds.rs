//! `descent train --folds K`: k-fold cross-validation.

use std::io::Write;
use std::process::ExitCode;

use super::arguments::Arguments;
use super::printing::{describe, print_plan, stopped};
use crate::cli::messages::say;
use crate::cli::multi_run::{Ended, MultiRun};
use crate::cli::spread;
use crate::run::{self, PreparedRun};

/// Trains `of` runs, each tested on a part of the rows that it was not trained on.
pub(super) fn run(arguments: &Arguments, of: u64, quiet: bool) -> anyhow::Result<ExitCode> {
    let runs = MultiRun::listen()?;
    let config = |index: u64| arguments.config(&[format!("data.fold={{ index = {index}, of = {of} }}")]);
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => run::default_folder(&config(1)?.name()),
    };
    // No folder is in the way before the first is trained.
    let path = |index: u64| out.join(format!("fold-{index}"));
    (1..=of).try_for_each(|index| run::require_free_folder(&path(index)))?;
    let mut results = Vec::new();
    for index in 1..=of {
        let options = arguments.options(Some(path(index)), runs.interrupt())?;
        let prepared = PreparedRun::new(config(index)?, options)?;
        if arguments.dry_run {
            print_plan(&prepared)?;
            return Ok(ExitCode::SUCCESS);
        }
        // The columns are the same in every fold.
        if !quiet && index == 1 {
            describe(&prepared);
        }
        match runs.train(prepared.start()?, quiet || index > 1)? {
            Ended::Finished(finished) => results.push(finished.metrics()),
            Ended::Stopped(Some(finished), signal) => return Ok(stopped(&finished, Some(signal), quiet)),
            Ended::Stopped(None, signal) => return Ok(ExitCode::from(signal.exit_code())),
        }
        if !quiet {
            say(&format!("fold {index} of {of} is in {}", path(index).display()));
        }
    }
    write!(std::io::stdout().lock(), "{}", spread::table("fold", &results))?;
    Ok(ExitCode::SUCCESS)
}
