//! `metrics.jsonl`, a JSON object per epoch and one at the end, and `metrics.csv`, its epochs as a table.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::metrics_table::MetricsTable;
use super::new_folder::require_present;
use super::observer::{End, EpochEnd, Finished, Observer};
use crate::error::Result;
use crate::files::{self, Checksum, Local, Log};

/// The log of a run's metrics.
#[derive(Debug)]
pub(crate) struct MetricsLog {
    path: PathBuf,
    lines: Log,
    table: MetricsTable,
}

impl MetricsLog {
    /// A new log at `path`, with its table beside it.
    pub(super) fn create(path: PathBuf, table: PathBuf) -> Result<Self> {
        let lines = Log::create(&Local, &path)?;
        Self::open(path, table, lines)
    }

    /// Continues a log as it was when it had this checksum; lines added since are removed.
    pub(super) fn resume(path: PathBuf, table: PathBuf, start: &Checksum) -> Result<Self> {
        let lines = Log::resume(&path, start)?;
        Self::open(path, table, lines)
    }

    /// A new log in place of a damaged one, which is set aside.
    pub(super) fn restart(path: PathBuf, table: PathBuf) -> Result<Self> {
        files::set_aside(&Local, &path)?;
        Self::create(path, table)
    }

    fn open(path: PathBuf, table: PathBuf, lines: Log) -> Result<Self> {
        let table = MetricsTable::of(table, &path)?;
        Ok(Self { path, lines, table })
    }

    /// Syncs the log to the disk and returns its checksum. A log that another program has changed is begun anew:
    /// without one, no run could resume from the checkpoint that is about to be written.
    pub(super) fn sync(&mut self) -> Result<Checksum> {
        let synced = self.sync_in_place();
        require_present(files::parent(&self.path), synced)
    }

    fn sync_in_place(&mut self) -> Result<Checksum> {
        if !self.lines.is_in_place()? {
            self.restore()?;
        }
        self.lines.sync(&Local)
    }

    fn restore(&mut self) -> Result<()> {
        let path = self.path.display();
        if self.lines.restore(&Local)? {
            tracing::warn!("{path} was moved, removed or replaced by another program; it was written again");
        } else {
            tracing::warn!(
                "{path} was changed by another program; the rest of it is set aside beside it, and the log begins anew"
            );
        }
        Ok(())
    }

    /// Adds a line to the log, and to the table if it is an epoch.
    fn add(&mut self, line: Map<String, Value>) -> Result<()> {
        let line = Value::Object(line);
        self.lines.add(&Local, &line.to_string())?;
        if let Value::Object(line) = line {
            self.table.add(&line, &self.path);
        }
        Ok(())
    }
}

impl Observer for MetricsLog {
    fn epoch_end(&mut self, epoch: &mut EpochEnd<'_>) -> Result<()> {
        let mut line = Map::new();
        line.insert("kind".to_owned(), "epoch".into());
        line.insert("epoch".to_owned(), epoch.epoch.into());
        line.insert("step".to_owned(), epoch.step.into());
        line.extend(epoch.metrics.iter().map(|(name, value)| (name.clone(), json!(value))));
        line.insert("lr".to_owned(), epoch.sums.lr.into());
        line.extend(epoch.diagnostics.iter().map(|(name, value)| (name.clone(), json!(value))));
        line.insert("seconds".to_owned(), epoch.sums.seconds.into());
        line.insert("samples".to_owned(), epoch.sums.rows.into());
        add_skipped(&mut line, epoch.sums.skipped);
        self.add(line)
    }

    fn train_end(&mut self, finished: &Finished) -> Result<()> {
        if finished.end == End::Interrupted {
            return Ok(());
        }
        let mut line = Map::new();
        line.insert("kind".to_owned(), "final".into());
        line.insert("epoch".to_owned(), finished.epoch.into());
        line.insert("step".to_owned(), finished.step.into());
        line.insert("best_epoch".to_owned(), finished.best_epoch.into());
        let numbers = finished.test.iter().chain(&finished.baselines);
        line.extend(numbers.map(|(name, value)| (name.clone(), json!(value))));
        line.insert("seconds".to_owned(), finished.seconds.into());
        add_skipped(&mut line, finished.skipped);
        self.add(line)?;
        self.sync().map(|_| ())
    }
}

/// Adds the number of batches in which nothing counts, where there are some.
fn add_skipped(line: &mut Map<String, Value>, count: u64) {
    if count > 0 {
        line.insert("skipped_batches".to_owned(), count.into());
    }
}
