//! Paths as arguments.

use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::error::{Error, Result};
use crate::files;

/// Reads a path. A shell expands `~` only where an argument begins with it, not in `--out=~/run`.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(files::expand_home)
}

/// Checks that the folder is there which `--output` is to be written to: before the work, not after it.
pub(super) fn require_folder(output: &Path) -> Result<()> {
    let folder = files::parent(output);
    if folder.is_dir() {
        return Ok(());
    }
    let problem = format!("there is no folder {}; make it first, or name another", folder.display());
    Err(Error::Config(format!("--output {}: {problem}", output.display())))
}
