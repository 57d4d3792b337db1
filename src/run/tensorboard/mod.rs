//! The run in TensorBoard: one event file per process, begun with the first epoch.

mod crc;
mod event;
mod histogram;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::observer::{EpochEnd, Finished, Observer};
use crate::error::{Error, Result};

pub(super) use event::EVENTS;
pub(crate) use histogram::Histogram;

/// The least time between two histograms of all tensors, which are large.
const HISTOGRAMS: Duration = Duration::from_secs(1);

/// Writes the event file of this process. A file that cannot be written is abandoned with a warning: `metrics.jsonl`
/// has the same metrics.
#[derive(Debug)]
pub(super) struct TensorBoard {
    folder: PathBuf,
    /// The step that a run is resumed from.
    from: Option<u64>,
    /// The config, which TensorBoard shows as text.
    config: String,
    file: Option<File>,
    histograms: Option<Instant>,
    broken: bool,
}

impl TensorBoard {
    /// The events of a run in `folder`, resumed at the step `from` if it is not new.
    pub(super) fn new(folder: &Path, from: Option<u64>, config: String) -> Self {
        let (file, histograms, broken) = (None, None, false);
        Self { folder: folder.to_path_buf(), from, config, file, histograms, broken }
    }

    /// Writes the scalars of a step; before the first, the header of the file and the config.
    fn scalars(&mut self, step: u64, values: &[(&str, f64)]) {
        let now = now();
        let mut bytes = Vec::new();
        if self.file.is_none() {
            bytes.extend(event::header(now));
            bytes.extend(self.from.map(|step| event::restart(now, signed(step) + 1)).unwrap_or_default());
            let config = format!("```toml\n{}\n```", self.config);
            bytes.extend(event::text(now, signed(self.from.unwrap_or(0)), "config", &config));
        }
        bytes.extend(event::scalars(now, signed(step), values));
        self.write(&bytes);
    }

    /// Writes a histogram of every tensor, if the last ones are old enough.
    fn histograms(&mut self, epoch: &mut EpochEnd<'_>) {
        if self.broken || self.histograms.is_some_and(|last| last.elapsed() < HISTOGRAMS) {
            return;
        }
        let tensors = match epoch.tensors() {
            Ok(tensors) => tensors,
            // Some rows may not count, or be too few.
            Err(error) => return tracing::debug!("no histograms for TensorBoard: {error}"),
        };
        let now = now();
        let one = |(name, elements): &(String, Vec<f64>)| {
            event::histogram(now, signed(epoch.step), name, &Histogram::of(elements))
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
            tracing::warn!("no more events are written for TensorBoard: {error}");
        }
    }

    /// The file, which the first call creates.
    fn file(&mut self) -> Result<&mut File> {
        let file = if let Some(file) = self.file.take() {
            file
        } else {
            let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |t| t.as_secs());
            let path = self.folder.join(event::file_name(seconds, std::process::id()));
            let opened = OpenOptions::new().append(true).create(true).mode(0o644).open(&path);
            opened.map_err(Error::io("create", &path))?
        };
        Ok(self.file.insert(file))
    }
}

impl Observer for TensorBoard {
    fn epoch_end(&mut self, epoch: &mut EpochEnd<'_>) -> Result<()> {
        let mut values = borrowed(epoch.metrics);
        values.push(("lr", epoch.sums.lr));
        values.extend(borrowed(&epoch.diagnostics));
        let skipped = epoch.sums.skipped;
        #[allow(clippy::cast_precision_loss, reason = "a count of batches")]
        values.extend((skipped > 0).then_some(("skipped_batches", skipped as f64)));
        self.scalars(epoch.step, &values);
        self.histograms(epoch);
        Ok(())
    }

    fn train_end(&mut self, finished: &Finished) -> Result<()> {
        let mut values = borrowed(&finished.test);
        // The curves of the validation rows are those of the epochs.
        values.retain(|(name, _)| !name.starts_with("val_"));
        if !values.is_empty() {
            self.scalars(finished.step, &values);
        }
        Ok(())
    }
}

fn borrowed(metrics: &[(String, f64)]) -> Vec<(&str, f64)> {
    metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect()
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |t| t.as_secs_f64())
}

fn signed(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
