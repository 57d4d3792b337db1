//! The names in a run folder.

use std::path::Path;

use crate::error::{Error, Result};

pub(crate) const CONFIG: &str = "config.toml";
pub(crate) const DATA: &str = "data.toml";
pub(crate) const MODEL: &str = "model.safetensors";
pub(super) const METRICS: &str = "metrics.jsonl";
pub(super) const TABLE: &str = "metrics.csv";
pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const FAILURE: &str = "failure";
pub(crate) const RESIDUALS: &str = "residuals.json";
pub(super) const LOCK: &str = "lock";
/// The folder of the runs that a bag averages.
pub(crate) const FOLDS: &str = "folds";

/// The files and folders that a run writes; event files have names of their own.
pub(super) const OWN: [&str; 8] = [CONFIG, DATA, MODEL, METRICS, TABLE, RESIDUALS, CHECKPOINTS, FAILURE];

/// Checks that `output` is no file of a run, which would be lost.
///
/// # Errors
/// It is one; `option` names the argument.
pub(crate) fn require_no_run_file(option: &str, output: &Path) -> Result<()> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(folder) = folder.canonicalize() else { return Ok(()) };
    let Some(name) = output.file_name() else { return Ok(()) };
    let path = folder.join(name);
    let is_own = path.ancestors().any(|part| {
        let run = part.parent().filter(|run| run.join(CONFIG).is_file() && run.join(METRICS).exists());
        run.is_some() && part.file_name().is_some_and(|name| OWN.iter().any(|own| name == *own))
    });
    if !is_own {
        return Ok(());
    }
    Err(Error::Config(format!("{option} {}: this is a file of a run; name another", output.display())))
}

/// Checks that `output` writes over no file of another kind: one that is there ends in one of these.
///
/// # Errors
/// It does not; `option` names the argument.
pub(crate) fn require_kind(option: &str, output: &Path, endings: &[&str]) -> Result<()> {
    let fits = output.extension().is_some_and(|end| endings.iter().any(|own| end.eq_ignore_ascii_case(own)));
    if fits || !output.is_file() {
        return Ok(());
    }
    let problem = format!(
        "this file is there and does not end in .{}; name a new file, or remove it first",
        endings[0]
    );
    Err(Error::Config(format!("{option} {}: {problem}", output.display())))
}
