//! Python with torch: where it is, and running a script in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::error::{Error, Result};

/// The program that is tried where none is named.
const DEFAULT: &str = "python3";

/// What a script imports.
const IMPORTS: &str = "import numpy, torch";

/// A Python with torch and NumPy: the one that is named, or `python3`.
///
/// # Errors
/// A sentence about why there is none.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf, String> {
    let python = named.unwrap_or(Path::new(DEFAULT));
    let tried = Command::new(python).args(["-c", IMPORTS]).stdin(Stdio::null()).output();
    match tried {
        Ok(output) if output.status.success() => Ok(python.to_path_buf()),
        Ok(output) => {
            Err(format!("{} cannot import torch and numpy: {}", python.display(), last_line(&output)))
        }
        Err(error) => Err(format!("{} cannot be run: {error}", python.display())),
    }
}

/// Runs a script; gives its exit code and what it printed.
pub(super) fn run(python: &Path, script: &Path) -> Result<Output> {
    Command::new(python).arg(script).stdin(Stdio::null()).output().map_err(Error::io("run", python))
}

/// The last line on standard error: of a traceback, what went wrong.
pub(super) fn last_line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    line.map_or_else(|| output.status.to_string(), |line| line.replace(char::is_control, " "))
}
