//! Writes checkpoints: under a temporary name, synced, renamed into place; then the oldest are removed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::Tensor;

use super::folder::{AVERAGE, BATCH, BEST, MODEL, OPTIMIZER, PROGRESS, is_own, name, steps};
use super::{Progress, weights};
use crate::error::{Error, Result};
use crate::files::{self, Checksum, Disk};
use crate::trainer::{Snapshot, Trainer};

/// A checkpoint that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its folder.
    pub path: PathBuf,
    /// The bytes of its files.
    pub bytes: u64,
}

impl Saved {
    /// Its file of the best weights, where it was given some.
    pub fn best_weights(&self) -> PathBuf {
        self.path.join(BEST)
    }
}

/// A run at some step: what a checkpoint is made of, the best weights aside.
#[derive(Debug, Clone, Copy)]
pub struct RunState<'a> {
    /// The network, the optimizer and the averages.
    pub trainer: &'a Trainer,
    /// The run's progress.
    pub progress: &'a Progress,
}

/// The best weights of a run so far.
#[derive(Debug, Clone, Copy)]
pub struct BestWeights<'a> {
    /// The run's `model.safetensors`, which has them.
    pub model: &'a Path,
    /// Its sum.
    pub sum: &'a Checksum,
    /// The file of an earlier checkpoint that has them too.
    pub earlier: Option<&'a Path>,
}

/// Writes a checkpoint into `folder`, then removes the oldest ones beyond `keep`.
///
/// # Errors
/// I/O errors, with the number of bytes needed. Existing checkpoints are unchanged.
pub fn save(
    disk: &dyn Disk,
    folder: &Path,
    RunState { trainer, progress }: RunState<'_>,
    best: Option<BestWeights<'_>>,
    keep: usize,
) -> Result<Saved> {
    let target = folder.join(name(trainer.steps()));
    let snapshot = trainer.snapshot()?;
    let needed = snapshot.tensors().map(weights::size).sum();
    let written = write(disk, &target, &snapshot, progress, best.map(Beside::BestWeights).as_ref());
    let bytes = written.map_err(|source| {
        let _ = files::remove_if_there(disk, &files::beside(&target));
        let last = steps(folder).ok().and_then(|steps| steps.last().map(|(_, path)| path.clone()));
        Error::Checkpoint { path: target.clone(), needed, last, source: Box::new(source) }
    })?;
    // An old one that cannot be removed takes room, no more.
    if let Err(error) = retire(disk, folder, keep) {
        tracing::warn!("{error}");
    }
    Ok(Saved { path: target, bytes })
}

/// Records an update that was not made in the folder `target`: the state before it, and its batch.
pub fn save_failure(
    disk: &dyn Disk,
    target: &Path,
    RunState { trainer, progress }: RunState<'_>,
    batch: &BTreeMap<String, Tensor>,
) -> Result<()> {
    let written = write(disk, target, &trainer.snapshot()?, progress, Some(&Beside::Batch(batch)));
    written.map(|_| ()).inspect_err(|_| {
        let _ = files::remove_if_there(disk, &files::beside(target));
    })
}

/// The files of a checkpoint beside the state of the trainer.
enum Beside<'a> {
    /// The run's best weights.
    BestWeights(BestWeights<'a>),
    /// The rows of an update.
    Batch(&'a BTreeMap<String, Tensor>),
}

/// Writes the folder `target`, replacing one that is there; returns the bytes of its files.
fn write(
    disk: &dyn Disk,
    target: &Path,
    snapshot: &Snapshot,
    progress: &Progress,
    more: Option<&Beside<'_>>,
) -> Result<u64> {
    let part = empty_part(disk, target)?;
    let mut sums = BTreeMap::new();
    let mut put = |name: &str, bytes: &[u8]| -> Result<()> {
        let path = part.join(name);
        files::write_new(disk, &path, bytes).map_err(Error::io("write", &path))?;
        sums.insert(name.to_owned(), Checksum::of(bytes));
        Ok(())
    };
    let of = |tensors: &BTreeMap<String, Tensor>, name: &str| {
        let tensors = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.clone()));
        weights::serialize(&part.join(name), tensors)
    };
    put(MODEL, &of(&snapshot.model, MODEL)?)?;
    put(OPTIMIZER, &of(&snapshot.optimizer, OPTIMIZER)?)?;
    if let Some(average) = &snapshot.average {
        put(AVERAGE, &of(average, AVERAGE)?)?;
    }
    if let Some(Beside::Batch(batch)) = more {
        put(BATCH, &of(batch, BATCH)?)?;
    }
    if let Some(Beside::BestWeights(best)) = more {
        put_best(disk, &part, best, sums.get(MODEL) == Some(best.sum))?;
        sums.insert(BEST.to_owned(), best.sum.clone());
    }
    let bytes: u64 = sums.values().map(|sum| sum.bytes).sum();
    let progress =
        Progress { step: snapshot.steps, plateau: snapshot.plateau, files: sums, ..progress.clone() };
    let text = progress.to_text().map_err(Error::Config)?;
    let path = part.join(PROGRESS);
    files::write_new(disk, &path, text.as_bytes()).map_err(Error::io("write", &path))?;
    publish(disk, &part, target)?;
    Ok(bytes + text.len() as u64)
}

/// Renames the folder `part`, whose files are synced, to `target`, so that it lasts.
fn publish(disk: &dyn Disk, part: &Path, target: &Path) -> Result<()> {
    disk.sync_dir(part).map_err(Error::io("write", part))?;
    disk.rename(part, target).map_err(Error::io("create", target))?;
    let folder = files::parent(target);
    disk.sync_dir(folder).map_err(Error::io("write", folder))
}

/// Puts the best weights into the folder `part`, whose `model.safetensors` may be the same.
fn put_best(disk: &dyn Disk, part: &Path, best: &BestWeights<'_>, own: bool) -> Result<()> {
    let here = part.join(BEST);
    let wrong = Error::io("write", &here);
    if own {
        return files::link_or_copy(disk, &part.join(MODEL), &here).map_err(wrong);
    }
    let whole = |path: &Path| fs::read(path).ok().filter(|bytes| Checksum::of(bytes) == *best.sum);
    match best.earlier.and_then(whole).or_else(|| whole(best.model)) {
        Some(bytes) => files::write_new(disk, &here, &bytes).map_err(wrong),
        None => Err(Error::data(
            best.model,
            "it was changed since this run wrote it, and the best weights are lost",
        )),
    }
}

/// Makes the empty folder beside `target` in which it is written, and its parent where that is not there.
fn empty_part(disk: &dyn Disk, target: &Path) -> Result<PathBuf> {
    let folder = files::parent(target);
    files::require_free_or_folder(folder)?;
    if !folder.exists() {
        disk.create_dir(folder).map_err(Error::io("create", folder))?;
        disk.sync_dir(files::parent(folder)).map_err(Error::io("write", folder))?;
    }
    files::require_free_or_folder(target)?;
    let part = files::beside(target);
    files::remove_if_there(disk, &part).map_err(Error::io("remove", &part))?;
    if target.exists() && !is_own(target) {
        files::set_aside(disk, target)?;
    } else if target.exists() {
        // The same step, whose name could not be made to last the last time.
        disk.rename(target, &part).map_err(Error::io("rename", target))?;
        files::remove_if_there(disk, &part).map_err(Error::io("remove", &part))?;
    }
    disk.create_dir(&part).map_err(Error::io("create", &part))?;
    Ok(part)
}

/// Removes all checkpoints but the newest `keep`. A folder to which somebody added a file is left alone.
fn retire(disk: &dyn Disk, folder: &Path, keep: usize) -> Result<()> {
    let mut steps = steps(folder)?;
    steps.retain(|(_, path)| is_own(path));
    let old = steps.len().saturating_sub(keep.max(1));
    steps[..old].iter().try_for_each(|(_, path)| {
        // Half of a checkpoint never has a checkpoint's name.
        let part = files::beside(path);
        let remove = || {
            disk.rename(path, &part)?;
            files::remove_if_there(disk, &part)
        };
        remove().map_err(Error::io("remove", path))
    })
}

/// Renames damaged checkpoints so that they are not picked up again. Nothing is deleted.
pub fn set_aside(disk: &dyn Disk, damaged: &[(PathBuf, String)]) -> Result<()> {
    damaged.iter().try_for_each(|(path, _)| files::set_aside(disk, path))
}
