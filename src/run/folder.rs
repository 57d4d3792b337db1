//! The folder of a run: `config.toml`, `model.safetensors`, `metrics.jsonl`, `checkpoints/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::checkpoint::{self, Best, Found, Progress, RunState, Saved};
use crate::data::Preprocessing;
use crate::error::{Error, Result};
use crate::files::{self, Checksum, Local, Lock};
use crate::nn::Params;
use crate::trainer::Trainer;
use candle_core::Tensor;

use super::metrics_log::MetricsLog;

const CONFIG: &str = "config.toml";
const DATA: &str = "data.toml";
const MODEL: &str = "model.safetensors";
const METRICS: &str = "metrics.jsonl";
const TABLE: &str = "metrics.csv";
const CHECKPOINTS: &str = "checkpoints";
const FAILURE: &str = "failure";

/// The files and folders that a run writes.
const OWN: [&str; 7] = [CONFIG, DATA, MODEL, METRICS, TABLE, CHECKPOINTS, FAILURE];

/// A run folder, locked by this process.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// `metrics.jsonl` and `metrics.csv`.
    pub(super) log: MetricsLog,
    /// The checksum of `model.safetensors`, if this run has written it.
    model: Option<Checksum>,
    /// The file of the last checkpoint that has the best weights, and its sum.
    best: Option<(PathBuf, Checksum)>,
    /// The outermost folder that this run created.
    made: Option<PathBuf>,
    lock: Lock,
}

impl RunFolder {
    /// Creates the folder and writes the config and the preprocessing into it.
    pub(crate) fn create(path: &Path, config: &str, preprocessing: &Preprocessing) -> Result<Self> {
        require_free(path)?;
        let made =
            path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).last();
        let made = made.map(Path::to_path_buf);
        fs::create_dir_all(path).map_err(Error::io("create", path))?;
        let taken = lock(path).and_then(|lock| {
            // Another process may have been here first.
            require_free(path)?;
            Ok(lock)
        });
        let lock = taken.inspect_err(|_| remove_folders(path, made.as_deref()))?;
        let start = || -> Result<MetricsLog> {
            files::clear_leftovers(&Local, path)?;
            files::write(&Local, &path.join(CONFIG), config.as_bytes())?;
            files::write(&Local, &path.join(DATA), preprocessing.to_toml()?.as_bytes())?;
            MetricsLog::create(path.join(METRICS), path.join(TABLE))
        };
        match start() {
            Ok(log) => Ok(Self { path: path.to_path_buf(), log, model: None, best: None, made, lock }),
            Err(error) => {
                drop(lock);
                remove(path, made.as_deref());
                Err(error)
            }
        }
    }

    /// The newest checkpoint of a run that is whole.
    pub(crate) fn newest(path: &Path) -> Result<Found> {
        let folder = path.join(CHECKPOINTS);
        checkpoint::newest(&folder, &path.join(METRICS)).map_err(|error| match error {
            Error::Data { problem, .. } => Error::data(
                &folder,
                format!(
                    "{problem}; start again in another folder: descent train {} --out …",
                    path.join(CONFIG).display()
                ),
            ),
            other => other,
        })
    }

    /// Takes a run folder back to where it was at a checkpoint. Damaged checkpoints are set aside.
    pub(crate) fn reopen(path: &Path, found: &Found, lock: Lock) -> Result<Self> {
        for folder in [path.to_path_buf(), path.join(CHECKPOINTS)] {
            for leftover in files::clear_leftovers(&Local, &folder)? {
                tracing::info!("removed {}, which a crash left half-written", leftover.display());
            }
        }
        checkpoint::set_aside(&Local, &found.damaged)?;
        let best = found.best().map(|(best, sum)| (best, sum.clone()));
        if let Some((best, sum)) = &best {
            let place = path.join(MODEL);
            files::require_free_or_file(&place)?;
            if !place.exists() || Checksum::of_file(&place)? != *sum {
                let bytes = fs::read(best).map_err(Error::io("read", best))?;
                files::write(&Local, &place, &bytes)?;
            }
        }
        let model = best.as_ref().map(|(_, sum)| sum.clone());
        let log = MetricsLog::resume(path.join(METRICS), path.join(TABLE), &found.progress.log)?;
        Ok(Self { path: path.to_path_buf(), log, model, best, made: None, lock })
    }

    /// Replaces the config, below the comment at its head and a new line of comment.
    pub(crate) fn change_config(&self, config: &str, note: &str) -> Result<()> {
        let path = self.path.join(CONFIG);
        let old = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let notes: String = old.split_inclusive('\n').take_while(|line| line.starts_with('#')).collect();
        files::write(&Local, &path, format!("{notes}# {note}\n{config}").as_bytes())
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a checkpoint, with the best weights so far if epochs are validated.
    pub(crate) fn save_checkpoint(
        &mut self,
        trainer: &Trainer,
        progress: Progress,
        keep: usize,
    ) -> Result<Saved> {
        let progress = Progress { log: self.log.sync()?, ..progress };
        let model = self.path.join(MODEL);
        let judged = progress.judged.best.is_some();
        let best = self.model.as_ref().filter(|_| judged).map(|sum| {
            let earlier = self.best.as_ref().filter(|(path, earlier)| earlier == sum && path.exists());
            Best { model: &model, sum, earlier: earlier.map(|(path, _)| path.as_path()) }
        });
        let folder = self.path.join(CHECKPOINTS);
        let saved = checkpoint::save_checkpoint(
            &Local,
            &folder,
            RunState { trainer, progress: &progress },
            best,
            keep,
        )?;
        self.best = best.map(|best| (saved.best(), best.sum.clone()));
        Ok(saved)
    }

    /// Records an update that was not made; returns the folder.
    pub(crate) fn save_failure(
        &self,
        trainer: &Trainer,
        progress: &Progress,
        batch: &BTreeMap<String, Tensor>,
    ) -> Result<PathBuf> {
        let path = self.path.join(FAILURE);
        checkpoint::save_failure(&Local, &path, RunState { trainer, progress }, batch)?;
        Ok(path)
    }

    /// Writes the weights to `model.safetensors`.
    pub(crate) fn save_model(&mut self, params: &Params) -> Result<()> {
        self.model = Some(checkpoint::save(&Local, &self.path.join(MODEL), params.state())?);
        Ok(())
    }

    /// Replaces the preprocessing.
    pub(crate) fn save_preprocessing(&self, preprocessing: &Preprocessing) -> Result<()> {
        files::write(&Local, &self.path.join(DATA), preprocessing.to_toml()?.as_bytes())
    }

    /// Reads `model.safetensors` back.
    pub(crate) fn load_model(&self, params: &Params) -> Result<()> {
        params.load(&checkpoint::load(&self.path.join(MODEL))?)
    }

    /// Removes the folder if no model, checkpoint or failure was written. Returns whether it did.
    pub(crate) fn discard_if_empty(self) -> bool {
        let Self { path, made, lock, .. } = self;
        let kept = [MODEL, CHECKPOINTS, FAILURE].iter().any(|name| path.join(name).exists());
        drop(lock);
        if !kept {
            remove(&path, made.as_deref());
        }
        !kept
    }
}

/// Checks that a new run can be written to `path`.
///
/// # Errors
/// The folder already holds a file of a run, or `path` is a file.
pub fn require_free(path: &Path) -> Result<()> {
    if path.exists() && !path.is_dir() {
        return Err(Error::Config(format!("--out {}: this is a file, not a folder", path.display())));
    }
    match OWN.iter().find(|name| fs::symlink_metadata(path.join(name)).is_ok()) {
        Some(name) => Err(Error::Config(format!(
            "--out {0}: this folder holds a run already (`{name}`); choose another, remove it first, or go on \
             with it: descent train --resume {0}",
            path.display()
        ))),
        None => Ok(()),
    }
}

/// The config of the run in this folder; `command` is what asks for it.
pub(crate) fn config_of(run: &Path, command: &str) -> Result<PathBuf> {
    let path = run.join(CONFIG);
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::data(run, format!("there is no {CONFIG} in this folder; {command} takes the folder of a run")))
}

/// The best weights of the run in this folder.
pub(super) fn model(run: &Path) -> PathBuf {
    run.join(MODEL)
}

/// The preprocessing of the run in this folder; `None` for a run from before that was kept.
pub(super) fn preprocessing(run: &Path) -> Result<Option<Preprocessing>> {
    let path = run.join(DATA);
    match fs::symlink_metadata(&path) {
        Ok(_) if path.is_file() => Preprocessing::read(&path).map(Some),
        Ok(_) => Err(no_preprocessing(run)),
        Err(_) => Ok(None),
    }
}

/// The run in this folder has no preprocessing.
pub(super) fn no_preprocessing(run: &Path) -> Error {
    Error::data(run, format!("there is no {DATA} in this folder; train the run again to predict with it"))
}

/// Locks the folder of a run to resume it.
pub(crate) fn lock_run(path: &Path) -> Result<Lock> {
    if !path.join(CONFIG).is_file() {
        let problem = "there is no run in this folder (no `config.toml`); --resume takes the folder of a run";
        return Err(Error::data(path, problem));
    }
    lock(path)
}

fn lock(path: &Path) -> Result<Lock> {
    Lock::take(&path.join("lock"))
}

/// Removes the files of a run, and the folders that it created, from `path` out to `made`.
fn remove(path: &Path, made: Option<&Path>) {
    for name in [CONFIG, DATA, METRICS, TABLE] {
        let _ = fs::remove_file(path.join(name));
    }
    remove_folders(path, made);
}

/// Removes the folders that a run created, from `path` out to `made`.
fn remove_folders(path: &Path, made: Option<&Path>) {
    let Some(made) = made else { return };
    for folder in path.ancestors().take_while(|folder| folder.starts_with(made)) {
        // A folder that another run uses is not empty and is kept.
        let _ = fs::remove_dir(folder);
    }
}

/// `runs/NAME-20261123-221530`, in UTC; with a number appended if that is taken.
pub fn default_path(name: &str) -> PathBuf {
    let base = format!("{name}-{}", jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S"));
    let candidates = (1..).map(|n| if n == 1 { base.clone() } else { format!("{base}-{n}") });
    let mut free = candidates.map(|name| Path::new("runs").join(name)).filter(|path| !path.exists());
    free.next().unwrap_or_else(|| Path::new("runs").join(&base))
}
