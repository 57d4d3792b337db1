//! `descent export RUN --to TARGET`: writes a run's trained model for another tool.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::finished_run::FinishedRun;
use super::paths;
use crate::export::{self, ExportTarget, Request};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: FinishedRun,
    /// Target of the export.
    #[arg(long, value_name = "TARGET")]
    to: ExportTarget,
    /// File or folder to write; by default in the run folder.
    #[arg(long, value_name = "PATH", value_parser = paths::path())]
    output: Option<PathBuf>,
    /// --to c: weights of 8 bits with a scale per row; prints what that costs on the test split.
    #[arg(long)]
    int8: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { run: FinishedRun { folder, allow_nonfinite }, to, output, int8 } = arguments;
    let request = Request {
        run: folder.clone(),
        target: *to,
        output: output.clone(),
        allow_nonfinite: *allow_nonfinite,
        int8: *int8,
    };
    let written = export::export(&request)?;
    let mut out = std::io::stdout().lock();
    for path in written {
        writeln!(out, "{}", path.display())?;
    }
    Ok(())
}
