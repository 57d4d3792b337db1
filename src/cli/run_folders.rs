//! The runs that a command is given: run folders, and folders that have several.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

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
    runs.sort_by_cached_key(|path| by_numbers(&path.file_name().unwrap_or_default().to_string_lossy()));
    Ok(runs)
}

/// A key by which fold-2 comes before fold-10: the text and the numbers of a name in turn.
fn by_numbers(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let digits = rest[text..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - text);
        parts.push((rest[..text].to_owned(), rest[text..text + digits].parse().unwrap_or(u64::MAX)));
        rest = &rest[text + digits..];
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["fold-10", "fold-2", "a", "1-x", "10-x", "2-x", "é"];
        names.sort_by_cached_key(|name| by_numbers(name));
        assert_eq!(names, ["1-x", "2-x", "10-x", "a", "fold-2", "fold-10", "é"]);
    }
}
