//! The metrics of a run, and their names on the Hub: <https://huggingface.co/metrics>.

use std::path::Path;

use crate::data::Fingerprint;
use crate::error::{Error, Result};
use crate::metrics;
use crate::run::data_file;
use crate::run::history::History;

/// A measured value.
pub(super) struct Metric {
    /// Its name in the run's log without the split's prefix.
    pub(super) name: String,
    /// Its value, finite.
    pub(super) value: f64,
}

/// What is known of a run's quality.
pub(super) struct Results {
    /// The rows of each split, where the run knows them.
    pub(super) rows: Option<Fingerprint>,
    /// The metrics on the test rows, or without any on the validation rows; of a bag on the rows out of fold.
    pub(super) metrics: Vec<Metric>,
    /// The split of the metrics.
    pub(super) split: &'static str,
}

impl Results {
    /// Of the run in this folder; it may have lost its log.
    pub(super) fn read(run: &Path) -> Result<Self> {
        let rows = data_file::fingerprint(run)?;
        let history = match History::read(run) {
            Ok(history) => history,
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { rows, metrics: Vec::new(), split: "test" });
            }
            Err(error) => return Err(error),
        };
        let best = history.last.as_ref().and_then(|last| last.get("best_epoch")?.as_u64());
        let epoch = |number: u64| {
            history
                .epochs
                .iter()
                .find(|epoch| epoch.line.get("epoch").and_then(serde_json::Value::as_u64) == Some(number))
        };
        let test = of_split(history.last.as_ref(), "test_");
        if !test.is_empty() {
            return Ok(Self { rows, metrics: test, split: "test" });
        }
        let out_of_fold = of_split(history.last.as_ref(), "oof_");
        if !out_of_fold.is_empty() {
            return Ok(Self { rows, metrics: out_of_fold, split: "out-of-fold" });
        }
        let line = best.and_then(epoch).map(|epoch| &epoch.line);
        Ok(Self { rows, metrics: of_split(line, "val_"), split: "validation" })
    }
}

/// The metrics of a line of the log that begin with this prefix.
fn of_split(line: Option<&serde_json::Map<String, serde_json::Value>>, prefix: &str) -> Vec<Metric> {
    let metric = |(name, value): (&String, &serde_json::Value)| {
        let name = name.strip_prefix(prefix).filter(|_| metrics::is_of_split(name))?;
        Some(Metric { name: name.to_owned(), value: value.as_f64()? })
    };
    line.into_iter().flatten().filter_map(metric).collect()
}

impl Metric {
    /// Whether it tells of the network, not of a baseline beside it.
    pub(super) fn is_of_the_network(&self) -> bool {
        !self.name.starts_with("baseline") && !self.name.contains("naive") && !self.name.contains("drift")
    }

    /// Its name on the Hub.
    pub(super) fn hub_name(&self) -> &str {
        match self.name.as_str() {
            "mcc" => "matthews_correlation",
            "r2" => "r_squared",
            name => name,
        }
    }
}
