//! The history of a run, as its log has it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::table::{printable, thousands};
use crate::error::{Error, Result};
use crate::files;

/// What the log of a run says.
pub(super) struct History {
    /// The run's folder.
    pub(super) path: PathBuf,
    /// Its epochs.
    pub(super) epochs: Vec<Epoch>,
    /// The line of its end, where it has come to that.
    pub(super) last: Option<Map<String, Value>>,
}

/// An epoch, and what the run had come to at its end.
pub(super) struct Epoch {
    /// In the order of [`Axis::ALL`].
    pub(super) at: [f64; 4],
    /// Its line in the log.
    pub(super) line: Map<String, Value>,
}

/// What a loss can be drawn over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Axis {
    Epochs,
    Updates,
    Samples,
    Seconds,
}

impl Axis {
    pub(super) const ALL: [Self; 4] = [Self::Epochs, Self::Updates, Self::Samples, Self::Seconds];

    pub(super) fn name(self) -> &'static str {
        ["epochs", "updates", "samples", "seconds"][self as usize]
    }

    pub(super) fn write(self, value: f64) -> String {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        if self == Self::Seconds { format!("{value:.2}") } else { thousands(value as u64) }
    }
}

impl History {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let place = path.join("metrics.jsonl");
        let (file, _) = files::open(&place)?;
        let text = std::io::read_to_string(file).map_err(Error::io("read", &place))?;
        // A run under way may be writing its last line.
        let text = if text.ends_with('\n') {
            text.as_str()
        } else {
            text.rsplit_once('\n').map_or("", |(whole, _)| whole)
        };
        let mut run = Self { path: path.to_path_buf(), epochs: Vec::new(), last: None };
        let (mut samples, mut seconds) = (0.0, 0.0);
        for (number, text) in (1..).zip(text.lines()) {
            let bad = |e: &dyn std::fmt::Display| Error::data(&place, format!("line {number}: {e}"));
            let line: Map<String, Value> = serde_json::from_str(text).map_err(|e| bad(&e))?;
            let value = |key: &str| {
                line.get(key)
                    .and_then(Value::as_f64)
                    .ok_or_else(|| bad(&format!("there is no number `{key}`")))
            };
            match line.get("kind").and_then(Value::as_str) {
                Some("epoch") => {
                    samples += value("samples")?;
                    seconds += value("seconds")?;
                    let at = [value("epoch")?, value("step")?, samples, seconds];
                    run.epochs.push(Epoch { at, line });
                }
                Some("final") => run.last = Some(line),
                _ => return Err(bad(&"this is no line of a run's log")),
            }
        }
        if run.epochs.is_empty() {
            return Err(Error::data(path, "no epoch of this run is over yet"));
        }
        Ok(run)
    }

    pub(super) fn has(&self, metric: &str) -> bool {
        self.epochs.iter().all(|epoch| epoch.value(metric).is_some())
    }

    /// The metrics of its epochs.
    pub(super) fn names(&self) -> Vec<&str> {
        let own = |name: &&String| ["train", "val"].iter().any(|prefix| name.starts_with(prefix));
        self.epochs
            .iter()
            .take(1)
            .flat_map(|epoch| epoch.line.keys().filter(own))
            .map(String::as_str)
            .collect()
    }

    pub(super) fn name(&self) -> String {
        printable(&self.path.display().to_string())
    }
}

impl Epoch {
    pub(super) fn value(&self, metric: &str) -> Option<f64> {
        self.line.get(metric).and_then(Value::as_f64)
    }
}
