//! Checkpoints as folders, `step-00000938`, of a run's `checkpoints/`.
//!
//! One is written beside, under a name that begins with a dot: every file is synced, then the folder, then it is renamed
//! and its parent is synced. Only then older ones are removed, under such a name again. So at any instant, also one of a
//! power cut, each folder that has a checkpoint's name is whole, and all that a crash can leave over begins with a dot.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::Tensor;

use super::{Progress, weights};
use crate::error::{Error, Result};
use crate::files::{self, Checksum, Disk, Hashing, Log};
use crate::trainer::{Snapshot, Trainer};

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const AVERAGE: &str = "average.safetensors";
/// The best weights so far. No other checkpoint shares the file, nor does the run: what harms one harms no other.
const BEST: &str = "best.safetensors";
const PROGRESS: &str = "progress.toml";
/// Of an update that was not made: its rows.
const BATCH: &str = "batch.safetensors";

/// A checkpoint that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its folder.
    pub path: PathBuf,
    /// The bytes of its files.
    pub bytes: u64,
}

/// A checkpoint that was read and found whole.
#[derive(Debug)]
pub struct Found {
    /// Its folder.
    pub path: PathBuf,
    /// Where the run stood.
    pub progress: Progress,
    /// What the trainer held.
    pub snapshot: Snapshot,
    /// Newer ones that are damaged, and how.
    pub damaged: Vec<(PathBuf, String)>,
}

/// The best weights of a run so far.
#[derive(Debug, Clone, Copy)]
pub struct Best<'a> {
    /// The run's `model.safetensors`, which has them.
    pub model: &'a Path,
    /// Its sum.
    pub sum: &'a Checksum,
    /// The file of an earlier checkpoint that has them too.
    pub earlier: Option<&'a Path>,
}

impl Found {
    /// The best weights so far, where epochs were judged, with their sum.
    pub fn best(&self) -> Option<(PathBuf, &Checksum)> {
        self.progress.files.get(BEST).map(|sum| (self.path.join(BEST), sum))
    }
}

/// Writes a checkpoint into `folder`, then removes the oldest ones beyond `keep`.
///
/// # Errors
/// What the disk says, with the bytes that are needed. The checkpoints that were there are as they were.
pub fn save(
    disk: &dyn Disk,
    folder: &Path,
    (trainer, progress): (&Trainer, &Progress),
    best: Option<Best<'_>>,
    keep: usize,
) -> Result<Saved> {
    let target = folder.join(format!("step-{:08}", trainer.steps()));
    let snapshot = trainer.snapshot()?;
    let needed = snapshot.tensors().map(weights::size).sum();
    let written = write(disk, &target, (&snapshot, progress), best.map(Beside::Best).as_ref());
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

/// Writes an update that was not made as the folder `target`: the state before it, and its batch.
pub fn save_failure(
    disk: &dyn Disk,
    target: &Path,
    (trainer, progress): (&Trainer, &Progress),
    batch: &BTreeMap<String, Tensor>,
) -> Result<()> {
    let written = write(disk, target, (&trainer.snapshot()?, progress), Some(&Beside::Batch(batch)));
    written.map(|_| ()).inspect_err(|_| {
        let _ = files::remove_if_there(disk, &files::beside(target));
    })
}

/// What lies beside the state of a trainer.
enum Beside<'a> {
    /// The run's best weights.
    Best(Best<'a>),
    /// The rows of an update.
    Batch(&'a BTreeMap<String, Tensor>),
}

/// Writes the folder `target`, in the place of one that is there; gives the bytes of its files.
fn write(
    disk: &dyn Disk,
    target: &Path,
    (snapshot, progress): (&Snapshot, &Progress),
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
    match more {
        Some(Beside::Batch(batch)) => put(BATCH, &of(batch, BATCH)?)?,
        Some(Beside::Best(best)) => {
            let own = sums.get(MODEL) == Some(best.sum);
            put_best(disk, &part, best, own)?;
            sums.insert(BEST.to_owned(), best.sum.clone());
        }
        None => {}
    }
    let bytes: u64 = sums.values().map(|sum| sum.bytes).sum();
    let progress =
        Progress { step: snapshot.steps, plateau: snapshot.plateau, files: sums, ..progress.clone() };
    let text = progress.to_text().map_err(Error::Config)?;
    let path = part.join(PROGRESS);
    files::write_new(disk, &path, text.as_bytes()).map_err(Error::io("write", &path))?;
    disk.sync_dir(&part).map_err(Error::io("write", &part))?;
    disk.rename(&part, target).map_err(Error::io("create", target))?;
    let folder = files::parent(target);
    disk.sync_dir(folder).map_err(Error::io("write", folder))?;
    Ok(bytes + text.len() as u64)
}

/// Puts the best weights into the folder `part`, whose `model.safetensors` may be the same.
fn put_best(disk: &dyn Disk, part: &Path, best: &Best<'_>, own: bool) -> Result<()> {
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
    if target.exists() {
        // The same step, whose name could not be made to last the last time.
        disk.rename(target, &part).map_err(Error::io("rename", target))?;
        files::remove_if_there(disk, &part).map_err(Error::io("remove", &part))?;
    }
    disk.create_dir(&part).map_err(Error::io("create", &part))?;
    Ok(part)
}

/// The checkpoints in a folder by their steps, the oldest first.
fn steps(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io("read", folder))?,
    };
    let number = |path: &PathBuf| -> Option<u64> {
        path.file_name()?.to_str()?.strip_prefix("step-").and_then(|step| step.parse().ok())
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut steps: Vec<(u64, PathBuf)> = paths.filter_map(|path| Some((number(&path)?, path))).collect();
    steps.sort();
    Ok(steps)
}

/// Removes all checkpoints but the newest `keep`.
fn retire(disk: &dyn Disk, folder: &Path, keep: usize) -> Result<()> {
    let steps = steps(folder)?;
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

/// The newest checkpoint in `folder` that is whole, and whose log is the start of the file `log`.
///
/// # Errors
/// None is: what is wrong with each.
pub fn newest(folder: &Path, log: &Path) -> Result<Found> {
    let mut damaged = Vec::new();
    for (_, path) in steps(folder)?.into_iter().rev() {
        match read(&path, log) {
            Ok((progress, snapshot)) => return Ok(Found { path, progress, snapshot, damaged }),
            Err(error) => damaged.push((path, error.to_string())),
        }
    }
    if damaged.is_empty() {
        return Err(Error::data(folder, "there is no checkpoint to go on from"));
    }
    let said: Vec<String> = damaged.into_iter().map(|(_, problem)| problem).collect();
    Err(Error::data(folder, format!("no checkpoint is whole: {}", said.join("; "))))
}

/// Reads a checkpoint; everything in it is checked before anything is given out.
fn read(path: &Path, log: &Path) -> Result<(Progress, Snapshot)> {
    let progress = read_progress(path)?;
    if !Log::begins_with(log, &progress.log)? {
        return Err(Error::data(log, format!("it no longer begins as it did at {}", path.display())));
    }
    let snapshot = read_snapshot(path, &progress)?;
    weights::require_finite(&path.join(MODEL), &snapshot.model)?;
    if let Some(sum) = progress.files.get(BEST) {
        let path = path.join(BEST);
        require_equal(&path, &Checksum::of_file(&path)?, sum)?;
    }
    Ok((progress, snapshot))
}

/// Reads what [`save_failure`] wrote: where the run stood, the state before the update, and its batch.
pub fn read_failure(path: &Path) -> Result<(Progress, Snapshot, BTreeMap<String, Tensor>)> {
    let progress = read_progress(path)?;
    let snapshot = read_snapshot(path, &progress)?;
    let batch = read_tensors(path, &progress, BATCH)?;
    Ok((progress, snapshot, batch.ok_or_else(|| not_listed(path, BATCH))?))
}

fn read_progress(path: &Path) -> Result<Progress> {
    let place = path.join(PROGRESS);
    let (file, size) = files::open(&place)?;
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

/// The tensors of a file that must have this sum.
fn checked(path: &Path, sum: &Checksum) -> Result<BTreeMap<String, Tensor>> {
    let (file, size) = files::open(path)?;
    if size != sum.bytes {
        return Err(Error::data(path, format!("it is {size} bytes long, not {}: it is damaged", sum.bytes)));
    }
    let mut reader = Hashing::new(file);
    let tensors = weights::read(&mut reader, size);
    // What cannot be read to its end is damaged in any case.
    let tensors = tensors.map_err(|problem| Error::data(path, problem))?;
    require_equal(path, &reader.sum(), sum)?;
    Ok(tensors)
}

fn require_equal(path: &Path, found: &Checksum, wanted: &Checksum) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    Err(Error::data(path, format!("its SHA-256 is {}, not {}: it is damaged", found.sha256, wanted.sha256)))
}

/// Takes damaged checkpoints out of the way, under names that no checkpoint has; nothing of them is lost.
pub fn set_aside(disk: &dyn Disk, damaged: &[(PathBuf, String)]) -> Result<()> {
    for (path, _) in damaged {
        let name = |n: u32| PathBuf::from(format!("{}.damaged-{n}", path.display()));
        let free = (1..=u32::MAX).map(name).find(|path| fs::symlink_metadata(path).is_err());
        if let Some(free) = free {
            disk.rename(path, &free).map_err(Error::io("rename", path))?;
        }
    }
    Ok(())
}
