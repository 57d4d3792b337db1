//! Runs of which no epoch has finished, or whose config is damaged.

use std::path::Path;

use super::names::{CHECKPOINTS, FAILURE, FOLDS, MODEL};
use crate::error::Error;

/// Why no epoch of the run in this folder has finished.
pub(crate) fn why_no_epoch(run: &Path) -> &'static str {
    if run.join(FAILURE).is_dir() {
        "it diverged before its first epoch had ended"
    } else if run.join(FOLDS).is_dir() {
        "it is the average of networks, which have the epochs: name the runs in its folder `folds`"
    } else if run.join(MODEL).exists() {
        "no epoch of this run has finished yet, or its log was begun anew"
    } else {
        "no epoch of this run has finished yet"
    }
}

/// The run in this folder, which is to be the average of several networks, was not finished.
pub(crate) fn of_bag(run: &Path) -> Option<Error> {
    let problem = "it is to be the average of the networks in its folder `folds`, which were not all trained; go on with: descent \
                   train --resume";
    run.join(FOLDS).is_dir().then(|| Error::data(run, format!("{problem} {}", run.display())))
}

/// The run in this folder has no weights.
pub(super) fn no_weights(run: &Path) -> Error {
    if let Some(error) = of_bag(run) {
        return error;
    }
    let out = if run.join(FAILURE).is_dir() {
        let folder = run.join(FAILURE);
        format!(
            "descent replay {} repeats the update; train it with a lower `optimizer.lr`",
            folder.display()
        )
    } else if run.join(CHECKPOINTS).is_dir() {
        format!("go on with: descent train --resume {}", run.display())
    } else {
        "train it again".to_owned()
    };
    Error::data(run, format!("there is no {MODEL} in this folder: {}; {out}", why_no_epoch(run)))
}

/// The error of a run's damaged config, with the way out where a checkpoint has it too.
pub(super) fn with_resume(error: Error, run: &Path) -> Error {
    match error {
        Error::Config(problem) if run.join(CHECKPOINTS).is_dir() => Error::Config(format!(
            "{problem}; where the file is damaged, this writes the checkpoint's copy: descent train --resume {}",
            run.display()
        )),
        other => other,
    }
}
