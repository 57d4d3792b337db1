//! `metrics.csv`: the epochs of `metrics.jsonl` as a table, for spreadsheets.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::files::{self, Local};

/// A row per epoch. The table follows from the log and is written anew from it where the two differ.
#[derive(Debug)]
pub(super) struct MetricsTable {
    path: PathBuf,
    columns: Vec<String>,
    broken: bool,
}

impl MetricsTable {
    /// The table of the log at `log`.
    pub(super) fn of(path: PathBuf, log: &Path) -> Result<Self> {
        let mut table = Self { path, columns: Vec::new(), broken: false };
        table.rewrite(log)?;
        Ok(table)
    }

    /// Adds a line that the log at `log` already has. A table that cannot be written is abandoned with a warning.
    pub(super) fn add(&mut self, line: &Map<String, Value>, log: &Path) {
        if self.broken || !is_epoch(line) {
            return;
        }
        let fits = self.columns.iter().eq(columns(line));
        let written = if fits { self.append(line).or_else(|_| self.rewrite(log)) } else { self.rewrite(log) };
        if let Err(error) = written {
            self.broken = true;
            tracing::warn!("the table of the epochs is no longer written: {error}");
        }
    }

    /// Adds a line that has the table's columns.
    fn append(&self, line: &Map<String, Value>) -> Result<()> {
        let row = csv([self.row(line)])?;
        let mut file =
            OpenOptions::new().append(true).open(&self.path).map_err(Error::io("open", &self.path))?;
        file.write_all(&row).map_err(Error::io("write", &self.path))
    }

    /// Writes the whole table.
    fn rewrite(&mut self, log: &Path) -> Result<()> {
        let file = files::open(log)?.file;
        let text = std::io::read_to_string(file).map_err(Error::io("read", log))?;
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Map<String, Value>>(line).ok());
        let epochs: Vec<Map<String, Value>> = lines.filter(is_epoch).collect();
        self.columns.clear();
        for name in epochs.iter().flat_map(columns) {
            if !self.columns.contains(name) {
                self.columns.push(name.clone());
            }
        }
        let rows = epochs.iter().map(|line| self.row(line));
        let table = csv(std::iter::once(self.columns.clone()).chain(rows))?;
        files::write(&Local, &self.path, &table)
    }

    fn row(&self, line: &Map<String, Value>) -> Vec<String> {
        self.columns.iter().map(|name| line.get(name).map_or(String::new(), Value::to_string)).collect()
    }
}

/// Rows as CSV. A table without columns is an empty line.
fn csv(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        if row.is_empty() {
            return Ok(b"\n".to_vec());
        }
        writer.write_record(&row).map_err(|e| Error::io("write", "metrics.csv")(e.into()))?;
    }
    writer.into_inner().map_err(|e| Error::io("write", "metrics.csv")(e.into_error()))
}

fn is_epoch(line: &Map<String, Value>) -> bool {
    line.get("kind").and_then(Value::as_str) == Some("epoch")
}

fn columns(line: &Map<String, Value>) -> impl Iterator<Item = &String> {
    line.keys().filter(|name| *name != "kind")
}
