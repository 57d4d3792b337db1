//! A variant of a config, and its runs on several seeds.

use std::path::PathBuf;

use crate::cli::table::printable;
use crate::error::{Error, Result};

/// A variant: the settings that make it, as `--set` takes them, and for each seed the numbers of its run.
pub(super) struct Variant {
    pub(super) set: Vec<String>,
    pub(super) runs: Vec<VariantRun>,
}

/// A run of a variant.
pub(super) struct VariantRun {
    pub(super) folder: PathBuf,
    /// Its metrics by name; empty if it failed.
    pub(super) metrics: Vec<(String, f64)>,
    /// The reason if it failed: "diverged".
    pub(super) failure: Option<&'static str>,
}

impl Variant {
    pub(super) fn name(&self) -> String {
        printable(&self.set.join(", "))
    }

    /// The number of its runs, and of those that failed: "3 (1 diverged)".
    pub(super) fn count(&self) -> String {
        let failures: Vec<&str> = self.runs.iter().filter_map(|run| run.failure).collect();
        match failures.as_slice() {
            [] => self.runs.len().to_string(),
            [what, ..] => {
                let what = if failures.iter().all(|other| other == what) { what } else { "failed" };
                format!("{} ({} {what})", self.runs.len(), failures.len())
            }
        }
    }

    /// The metric of each of its runs.
    pub(super) fn values(&self, metric: &str) -> Result<Vec<f64>> {
        let value = |VariantRun { folder, metrics, .. }: &VariantRun| {
            if metrics.is_empty() {
                return Ok(f64::NAN);
            }
            let found = metrics.iter().find(|(name, _)| name == metric).map(|(_, value)| *value);
            found.ok_or_else(|| {
                let names: Vec<&str> = metrics.iter().map(|(name, _)| name.as_str()).collect();
                let problem = format!("it has no `{}`; it has {}", metric.escape_debug(), names.join(", "));
                Error::data(folder, problem)
            })
        };
        self.runs.iter().map(value).collect()
    }
}
