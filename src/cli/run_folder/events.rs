//! The run as TensorBoard shows it: an event file a process, begun with the first epoch.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::cli::events::{self, Histogram};
use crate::error::{Error, Result};

/// How often the numbers of all tensors are written down: they are many.
const HISTOGRAMS: Duration = Duration::from_secs(1);

/// The event file of this process.
#[derive(Debug)]
pub(crate) struct Events {
    folder: PathBuf,
    /// The step that a run goes on from, where it is not at its beginning.
    from: Option<u64>,
    file: Option<File>,
    histograms: Option<Instant>,
    broken: bool,
}

impl Events {
    /// Events of a run in `folder`, that goes on from a step where it does not begin.
    pub(super) fn new(folder: &Path, from: Option<u64>) -> Self {
        Self { folder: folder.to_path_buf(), from, file: None, histograms: None, broken: false }
    }

    /// Writes the numbers of a step; the first time what says how the run is configured, too. A file that cannot be
    /// written is given up: the log has the same numbers.
    pub(crate) fn scalars(&mut self, step: u64, values: &[(&str, f64)], config: &str) {
        let now = now();
        let mut bytes = Vec::new();
        if self.file.is_none() {
            bytes.extend(events::header(now));
            bytes.extend(self.from.map(|step| events::restart(now, whole(step) + 1)).unwrap_or_default());
            bytes.extend(events::text(
                now,
                whole(self.from.unwrap_or(0)),
                "config",
                &format!("```toml\n{config}\n```"),
            ));
        }
        bytes.extend(events::scalars(now, whole(step), values));
        self.write(&bytes);
    }

    /// Whether the numbers of all tensors are due again.
    pub(crate) fn wants_histograms(&self) -> bool {
        !self.broken && self.histograms.is_none_or(|last| last.elapsed() >= HISTOGRAMS)
    }

    /// Writes the numbers of tensors by their names.
    pub(crate) fn histograms(&mut self, step: u64, tensors: &[(String, Vec<f64>)]) {
        let now = now();
        let one = |(name, numbers): &(String, Vec<f64>)| {
            events::histogram(now, whole(step), name, &Histogram::of(numbers))
        };
        let bytes: Vec<u8> = tensors.iter().flat_map(one).collect();
        self.write(&bytes);
        self.histograms = Some(Instant::now());
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        let folder = self.folder.clone();
        let written = self.file().and_then(|file| file.write_all(bytes).map_err(Error::io("write", folder)));
        if let Err(error) = written {
            self.broken = true;
            tracing::warn!("TensorBoard is not written for any more: {error}");
        }
    }

    /// The file, which the first call makes.
    fn file(&mut self) -> Result<&mut File> {
        let file = if let Some(file) = self.file.take() {
            file
        } else {
            let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |t| t.as_secs());
            let path = self.folder.join(events::file_name(seconds, std::process::id()));
            let opened = OpenOptions::new().append(true).create(true).open(&path);
            opened.map_err(Error::io("create", &path))?
        };
        Ok(self.file.insert(file))
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |t| t.as_secs_f64())
}

fn whole(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
