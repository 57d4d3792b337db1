//! RUN and `--allow-nonfinite`, for the commands that read a finished run's best weights.

use std::path::PathBuf;

use clap::Args;

use super::paths;

#[derive(Debug, Args)]
pub(super) struct FinishedRun {
    /// Run folder.
    #[arg(value_name = "RUN", value_parser = paths::path())]
    pub(super) folder: PathBuf,
    /// Accept NaN and infinite values in the weights.
    #[arg(long)]
    pub(super) allow_nonfinite: bool,
}
