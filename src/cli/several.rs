//! Several runs of one command: the folds of a cross-validation, the variants of a comparison.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::epochs::{Options, Run};
use super::run_folder::RunFolder;
use super::signals::Signals;
use super::train::{self, Arguments, Ended};
use super::{device, spread};
use crate::config::Config;

/// Trains a config in a folder of its own, on the device of this name, without a word but errors. It is one of several
/// runs, which share the signals.
pub(super) fn in_folder(
    config: &Config,
    out: &Path,
    device: &str,
    signals: &Signals,
) -> anyhow::Result<Ended> {
    let options = Options { quiet: true, signals: Some(signals.clone()), ..Options::default() };
    let device = device::choose(device)?;
    let run = train::begin(config, (out, String::new()), &device, options, &|_| Ok(()))?;
    one_of_several(run, config, true, signals)
}

/// Trains one run of several: a signal between them ends them all.
fn one_of_several(run: Run, config: &Config, quiet: bool, signals: &Signals) -> anyhow::Result<Ended> {
    let ended = train::train(run, config, quiet);
    signals.set_idle(true);
    match (ended?, signals.stop()) {
        (Ended::Finished(_), Some(signal)) => Ok(Ended::Stopped(ExitCode::from(signal.exit_code()))),
        (ended, _) => Ok(ended),
    }
}

/// k-fold cross-validation: as many runs, each tested on a part of the rows that it was not trained on.
pub(super) fn folds(arguments: &Arguments, of: u64, options: &Options) -> anyhow::Result<ExitCode> {
    let (out, quiet, signals) = (train::out(arguments), options.quiet, Signals::listen(false)?);
    signals.set_idle(true);
    // No folder is in the way before the first is trained.
    let path = |index: u64| out.join(format!("fold-{index}"));
    (1..=of).try_for_each(|index| RunFolder::check(&path(index)))?;
    let mut results = Vec::new();
    for index in 1..=of {
        let config = train::config(arguments, &[format!("data.fold={{ index = {index}, of = {of} }}")])?;
        let path = path(index);
        // What a table's columns are taken for is said once.
        let options =
            Options { quiet: quiet || index > 1, signals: Some(signals.clone()), ..options.clone() };
        let Some(run) = train::start(arguments, &config, &path, options)? else {
            return Ok(ExitCode::SUCCESS);
        };
        match one_of_several(run, &config, quiet, &signals)? {
            Ended::Finished(finished) => results.push(finished.numbers),
            Ended::Stopped(code) => return Ok(code),
        }
        if !quiet {
            super::say(&format!("fold {index} of {of} is in {}", path.display()));
        }
    }
    write!(std::io::stdout().lock(), "{}", spread::table("fold", &results))?;
    Ok(ExitCode::SUCCESS)
}
