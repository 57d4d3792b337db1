//! `metrics.csv`: the epochs of `metrics.jsonl` as a table, for spreadsheets.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::files::{self, Local};

/// A row an epoch. It follows from the log: what is lost or too much in it is made again from there.
#[derive(Debug)]
pub(super) struct Csv {
    path: PathBuf,
    columns: Vec<String>,
    broken: bool,
}

impl Csv {
    /// The table of the log `metrics`, as far as that goes.
    pub(super) fn of(path: PathBuf, metrics: &Path) -> Result<Self> {
        let mut csv = Self { path, columns: Vec::new(), broken: false };
        csv.make(metrics)?;
        Ok(csv)
    }

    /// Adds a line of the log, which has it already. A table that cannot be written is given up: the log is whole.
    pub(super) fn add(&mut self, line: &Map<String, Value>, metrics: &Path) {
        if self.broken || !is_epoch(line) {
            return;
        }
        let written = self.append(line).or_else(|_| self.make(metrics));
        if let Err(error) = written {
            self.broken = true;
            tracing::warn!("the table of the epochs is not written any more: {error}");
        }
    }

    /// Adds a line that has the table's columns; an error where it has others.
    fn append(&self, line: &Map<String, Value>) -> Result<()> {
        if !self.columns.iter().eq(columns(line)) {
            return Err(Error::data(&self.path, "the epoch has other numbers"));
        }
        let mut file =
            OpenOptions::new().append(true).open(&self.path).map_err(Error::io("open", &self.path))?;
        file.write_all(self.row(line).as_bytes()).map_err(Error::io("write", &self.path))
    }

    /// Makes the whole table.
    fn make(&mut self, metrics: &Path) -> Result<()> {
        let (file, _) = files::open(metrics)?;
        let text = std::io::read_to_string(file).map_err(Error::io("read", metrics))?;
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Map<String, Value>>(line).ok());
        let epochs: Vec<Map<String, Value>> = lines.filter(is_epoch).collect();
        self.columns.clear();
        for name in epochs.iter().flat_map(columns) {
            if !self.columns.contains(name) {
                self.columns.push(name.clone());
            }
        }
        let mut table = self.columns.join(",") + "\n";
        for line in &epochs {
            table.push_str(&self.row(line));
        }
        files::write(&Local, &self.path, table.as_bytes())
    }

    fn row(&self, line: &Map<String, Value>) -> String {
        let cells = self.columns.iter().map(|name| line.get(name).map_or(String::new(), Value::to_string));
        cells.collect::<Vec<_>>().join(",") + "\n"
    }
}

fn is_epoch(line: &Map<String, Value>) -> bool {
    line.get("kind").and_then(Value::as_str) == Some("epoch")
}

fn columns(line: &Map<String, Value>) -> impl Iterator<Item = &String> {
    line.keys().filter(|name| *name != "kind")
}
