//! The history of a run, read from its log.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::unfinished;
use crate::error::{Error, Result};
use crate::files;
use crate::metrics;

/// The log of a run.
pub(crate) struct History {
    /// The run's folder.
    pub(crate) path: PathBuf,
    /// Its epochs.
    pub(crate) epochs: Vec<LoggedEpoch>,
    /// Its final line, if it has finished.
    pub(crate) last: Option<Map<String, Value>>,
}

/// An epoch of the log.
pub(crate) struct LoggedEpoch {
    /// In the order of [`Axis::ALL`].
    pub(crate) at: [f64; 4],
    /// Its line in the log.
    pub(crate) line: Map<String, Value>,
}

/// The horizontal axis of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    /// Epochs done.
    Epochs,
    /// Updates done.
    Updates,
    /// Samples seen.
    Samples,
    /// Seconds trained.
    Seconds,
}

impl Axis {
    /// Every axis, in the order in which they are offered.
    pub(crate) const ALL: [Self; 4] = [Self::Epochs, Self::Updates, Self::Samples, Self::Seconds];

    /// Its name, also the class and id of its elements on a page.
    pub(crate) fn name(self) -> &'static str {
        ["epochs", "updates", "samples", "seconds"][self as usize]
    }
}

impl History {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let place = path.join("metrics.jsonl");
        let file = match files::open(&place) {
            Ok(opened) => opened.file,
            Err(error) => return Err(unfinished::of_bag(path).unwrap_or(error)),
        };
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
                    run.epochs.push(LoggedEpoch { at, line });
                }
                Some("final") => run.last = Some(line),
                _ => return Err(bad(&"not a line of a run's log")),
            }
        }
        Ok(run)
    }

    /// A result on the test split.
    pub(crate) fn test(&self, metric: &str) -> Option<f64> {
        self.last.as_ref()?.get(metric)?.as_f64()
    }

    /// Whether every epoch has the metric.
    pub(crate) fn has(&self, metric: &str) -> bool {
        self.epochs.iter().all(|epoch| epoch.value(metric).is_some())
    }

    /// The metrics of its epochs and of the test split.
    pub(crate) fn names(&self) -> Vec<&str> {
        let lines = self.epochs.first().map(|epoch| &epoch.line).into_iter().chain(&self.last);
        let names = lines.flat_map(Map::keys).map(String::as_str).filter(|name| metrics::is_of_split(name));
        names.fold(Vec::new(), |mut names, name| {
            if !names.contains(&name) {
                names.push(name);
            }
            names
        })
    }
}

impl LoggedEpoch {
    pub(crate) fn value(&self, metric: &str) -> Option<f64> {
        self.line.get(metric).and_then(Value::as_f64)
    }
}
