//! The runs that a command is given: run folders, and folders that have several.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::names::natural_order;

/// The run folders among these paths; of a folder with the runs of `--folds` or of a comparison all of them, in the order
/// of their numbers.
pub(super) fn run_folders(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in paths {
        let within = if is_run(path) { Vec::new() } else { runs_within(path)? };
        // What is no run at all is left to the command, which says so.
        if within.is_empty() { all.push(path.clone()) } else { all.extend(within) }
    }
    Ok(all)
}

fn is_run(path: &Path) -> bool {
    ["config.toml", "metrics.jsonl"].iter().any(|file| path.join(file).exists())
}

fn runs_within(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let mut runs: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| is_run(path)).collect();
    runs.sort_by_cached_key(|path| natural_order(&path.file_name().unwrap_or_default().to_string_lossy()));
    Ok(runs)
}
