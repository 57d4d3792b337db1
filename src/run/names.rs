//! The names in a run folder.

pub(super) const CONFIG: &str = "config.toml";
pub(super) const DATA: &str = "data.toml";
pub(super) const MODEL: &str = "model.safetensors";
pub(super) const METRICS: &str = "metrics.jsonl";
pub(super) const TABLE: &str = "metrics.csv";
pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const FAILURE: &str = "failure";
pub(super) const LOCK: &str = "lock";

/// The files and folders that a run writes; event files have names of their own.
pub(super) const OWN: [&str; 7] = [CONFIG, DATA, MODEL, METRICS, TABLE, CHECKPOINTS, FAILURE];
