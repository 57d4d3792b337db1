//! Checkpoints as folders, `step-00000938`, of a run's `checkpoints/`.
//!
//! A checkpoint is written under a name that begins with a dot: every file is synced, then the folder; then it is renamed
//! and its parent is synced. Only then are older ones renamed likewise and removed. So at any instant, even in a power
//! cut, each folder with a checkpoint's name is whole, and the names that a crash can leave begin with a dot.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::Tensor;

use super::{Progress, weights};
use crate::error::{Error, Result};
use crate::files::{self, Checksum, Hashing, Log, OpenFile};
use crate::trainer::Snapshot;

pub(super) const MODEL: &str = "model.safetensors";
pub(super) const OPTIMIZER: &str = "optimizer.safetensors";
pub(super) const AVERAGE: &str = "average.safetensors";
/// The best weights so far. The file is shared with no other checkpoint and not with the run: damage to one spares the
/// others.
pub(super) const BEST: &str = "best.safetensors";
pub(super) const PROGRESS: &str = "progress.toml";
/// The rows of an update that was not made.
pub(super) const BATCH: &str = "batch.safetensors";

/// A checkpoint that was read and verified.
#[derive(Debug)]
pub struct VerifiedCheckpoint {
    /// Its folder.
    pub path: PathBuf,
    /// The run's progress.
    pub progress: Progress,
    /// The state of the trainer.
    pub snapshot: Snapshot,
    /// Newer checkpoints that are damaged, with what is wrong.
    pub damaged: Vec<(PathBuf, String)>,
}

impl VerifiedCheckpoint {
    /// The file of the best weights so far, if epochs were validated.
    pub fn best_weights(&self) -> Option<PathBuf> {
        self.progress.files.contains_key(BEST).then(|| self.path.join(BEST))
    }

    /// Its checksum.
    pub fn best_checksum(&self) -> Option<&Checksum> {
        self.progress.files.get(BEST)
    }
}

/// The name of the checkpoint of this step.
pub(super) fn name(step: u64) -> String {
    format!("step-{step:08}")
}

/// Whether a folder holds what a checkpoint does and nothing else.
pub(super) fn is_own(path: &Path) -> bool {
    const ALL: [&str; 6] = [MODEL, OPTIMIZER, AVERAGE, BEST, PROGRESS, BATCH];
    let known = |entry: std::io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| ALL.iter().any(|name| entry.file_name() == *name))
    };
    path.join(PROGRESS).is_file() && fs::read_dir(path).is_ok_and(|mut entries| entries.all(known))
}

/// The checkpoints in a folder by their steps, the oldest first.
pub(super) fn steps(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io("read", folder))?,
    };
    let number = |path: &PathBuf| -> Option<u64> {
        let name = path.file_name()?.to_str()?;
        let step = name.strip_prefix("step-")?.parse().ok()?;
        // `step-5` and files are not the run's.
        (name == self::name(step) && fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()))
            .then_some(step)
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut steps: Vec<(u64, PathBuf)> = paths.filter_map(|path| Some((number(&path)?, path))).collect();
    steps.sort();
    Ok(steps)
}

/// Whether `folder` has a checkpoint, be it damaged.
pub fn has_any(folder: &Path) -> bool {
    steps(folder).is_ok_and(|steps| !steps.is_empty())
}

/// The newest checkpoint in `folder` that is whole, and whose log is the start of the file `log`.
///
/// # Errors
/// There is none; the message says what is wrong with each.
pub fn newest(folder: &Path, log: &Path) -> Result<VerifiedCheckpoint> {
    find_newest(folder, |path, progress| require_log(log, path, progress))
}

/// The newest checkpoint in `folder` that is whole, whatever became of its log.
///
/// # Errors
/// There is none; the message says what is wrong with each.
pub fn newest_with_any_log(folder: &Path) -> Result<VerifiedCheckpoint> {
    find_newest(folder, |_, _| Ok(()))
}

fn find_newest(folder: &Path, check: impl Fn(&Path, &Progress) -> Result<()>) -> Result<VerifiedCheckpoint> {
    let mut damaged = Vec::new();
    for (_, path) in steps(folder)?.into_iter().rev() {
        let read = read(&path).and_then(|found| check(&path, &found.progress).map(|()| found));
        match read {
            Ok(found) => return Ok(VerifiedCheckpoint { damaged, ..found }),
            Err(error) => damaged.push((path, error.to_string())),
        }
    }
    if damaged.is_empty() {
        return Err(Error::data(folder, "there is no checkpoint to go on from"));
    }
    let problems: Vec<String> = damaged.into_iter().map(|(_, problem)| problem).collect();
    Err(Error::data(folder, format!("no checkpoint is whole: {}", problems.join("; "))))
}

/// Checks that the file `log` begins as it did at the checkpoint `path`, which is whole.
fn require_log(log: &Path, path: &Path, progress: &Progress) -> Result<()> {
    let wrong = match Log::begins_with(log, &progress.log) {
        Ok(true) => return Ok(()),
        Ok(false) => Error::data(log, format!("it no longer begins as it did at {}", path.display())),
        Err(error) => error,
    };
    let problem = match wrong {
        Error::Data { problem, .. } => problem,
        other => other.to_string(),
    };
    Err(Error::data(
        log,
        format!("{problem}; the weights there are whole, and --restart-log goes on from them"),
    ))
}

/// Reads a checkpoint and verifies all of it.
fn read(path: &Path) -> Result<VerifiedCheckpoint> {
    let progress = read_progress(path)?;
    let snapshot = read_snapshot(path, &progress)?;
    weights::require_finite(&path.join(MODEL), &snapshot.model)?;
    if let Some(sum) = progress.files.get(BEST) {
        let path = path.join(BEST);
        require_equal(&path, &Checksum::of_file(&path)?, sum)?;
    }
    Ok(VerifiedCheckpoint { path: path.to_path_buf(), progress, snapshot, damaged: Vec::new() })
}

/// An update that was not made, as [`super::save_failure`] wrote it.
#[derive(Debug)]
pub struct FailedUpdate {
    /// The run's progress.
    pub progress: Progress,
    /// The state before the update.
    pub snapshot: Snapshot,
    /// Its rows.
    pub batch: BTreeMap<String, Tensor>,
}

/// Reads the record that [`super::save_failure`] wrote.
pub fn read_failure(path: &Path) -> Result<FailedUpdate> {
    let progress = read_progress(path)?;
    let snapshot = read_snapshot(path, &progress)?;
    let batch = read_tensors(path, &progress, BATCH)?.ok_or_else(|| not_listed(path, BATCH))?;
    Ok(FailedUpdate { progress, snapshot, batch })
}

fn read_progress(path: &Path) -> Result<Progress> {
    let place = path.join(PROGRESS);
    let OpenFile { file, size } = files::open(&place)?;
    // It holds the config, which may hold a weight for each of many classes.
    if size > 16 << 20 {
        return Err(Error::data(&place, format!("it is {size} bytes long, which no progress is")));
    }
    let text = std::io::read_to_string(file).map_err(Error::io("read", &place))?;
    Progress::parse(&text).map_err(|problem| Error::data(&place, problem))
}

fn read_snapshot(path: &Path, progress: &Progress) -> Result<Snapshot> {
    let required = |name: &str| read_tensors(path, progress, name)?.ok_or_else(|| not_listed(path, name));
    Ok(Snapshot {
        model: required(MODEL)?,
        optimizer: required(OPTIMIZER)?,
        average: read_tensors(path, progress, AVERAGE)?,
        steps: progress.step,
        plateau: progress.plateau,
    })
}

fn read_tensors(path: &Path, progress: &Progress, name: &str) -> Result<Option<BTreeMap<String, Tensor>>> {
    let sum = progress.files.get(name);
    sum.map(|sum| checked(&path.join(name), sum)).transpose()
}

fn not_listed(path: &Path, name: &str) -> Error {
    Error::data(path.join(PROGRESS), format!("it does not list `{name}`"))
}

/// The tensors of a file that must have this checksum.
fn checked(path: &Path, sum: &Checksum) -> Result<BTreeMap<String, Tensor>> {
    let OpenFile { file, size } = files::open(path)?;
    if size != sum.bytes {
        return Err(Error::data(path, format!("it is {size} bytes long, not {}: it is damaged", sum.bytes)));
    }
    let mut reader = Hashing::new(file);
    let tensors = weights::read(&mut reader, size);
    // What cannot be read to its end is damaged in any case.
    let tensors = tensors.map_err(|problem| Error::data(path, problem))?;
    require_equal(path, &reader.sum().checksum(), sum)?;
    Ok(tensors)
}

fn require_equal(path: &Path, found: &Checksum, wanted: &Checksum) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    Err(Error::data(path, format!("its SHA-256 is {}, not {}: it is damaged", found.sha256, wanted.sha256)))
}
