//! The folder of a run: `config.toml`, `model.safetensors`, `metrics.jsonl`, `checkpoints/`.

mod csv;
mod events;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use serde_json::{Map, Value};

use crate::checkpoint::{self, Best, Found, Progress, Saved};
use crate::data::Preprocessing;
use crate::error::{Error, Result};
use crate::files::{self, Checksum, Local, Lock, Log};
use crate::nn::Params;
use crate::trainer::Trainer;

use csv::Csv;
use events::Events;

const CONFIG: &str = "config.toml";
const DATA: &str = "data.toml";
const MODEL: &str = "model.safetensors";
const METRICS: &str = "metrics.jsonl";
const TABLE: &str = "metrics.csv";
const CHECKPOINTS: &str = "checkpoints";
const FAILURE: &str = "failure";

/// The names that a run writes.
const OWN: [&str; 7] = [CONFIG, DATA, MODEL, METRICS, TABLE, CHECKPOINTS, FAILURE];

/// A run's folder, open for writing by this process alone.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    metrics: Log,
    table: Csv,
    /// For TensorBoard.
    pub(super) events: Events,
    /// The sum of `model.safetensors`, where this run has written it.
    model: Option<Checksum>,
    /// The file of the last checkpoint that has the best weights, and its sum.
    best: Option<(PathBuf, Checksum)>,
    /// The outermost folder that this run made, if it made any.
    made: Option<PathBuf>,
    lock: Lock,
}

impl RunFolder {
    /// Refuses a folder in which something of a run lies already, so that no file is overwritten.
    pub(super) fn check(path: &Path) -> Result<()> {
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

    /// Makes the folder and puts the config into it, and the preprocessing.
    pub(super) fn create(path: &Path, config: &str, preprocessing: &Preprocessing) -> Result<Self> {
        Self::check(path)?;
        let made =
            path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).last();
        let made = made.map(Path::to_path_buf);
        fs::create_dir_all(path).map_err(Error::io("create", path))?;
        let taken = lock(path).and_then(|lock| {
            // Another process may have been here first.
            Self::check(path)?;
            Ok(lock)
        });
        let lock = taken.inspect_err(|_| remove_folders(path, made.as_deref()))?;
        let start = || -> Result<(Log, Csv)> {
            files::clear_leftovers(&Local, path)?;
            files::write(&Local, &path.join(CONFIG), config.as_bytes())?;
            files::write(&Local, &path.join(DATA), preprocessing.to_toml()?.as_bytes())?;
            let metrics = Log::create(&Local, &path.join(METRICS))?;
            Ok((metrics, Csv::of(path.join(TABLE), &path.join(METRICS))?))
        };
        match start() {
            Ok((metrics, table)) => {
                let events = Events::new(path, None);
                Ok(Self {
                    path: path.to_path_buf(),
                    metrics,
                    table,
                    events,
                    model: None,
                    best: None,
                    made,
                    lock,
                })
            }
            Err(error) => {
                drop(lock);
                remove(path, made.as_deref());
                Err(error)
            }
        }
    }

    /// The newest checkpoint of a run that is whole. Nothing is changed.
    pub(super) fn newest(path: &Path) -> Result<Found> {
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

    /// Takes a run's folder back to where it was at a checkpoint, to go on from it. What is damaged is set aside.
    pub(super) fn reopen(path: &Path, found: &Found, lock: Lock) -> Result<Self> {
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
        let metrics = Log::resume(&path.join(METRICS), &found.progress.log)?;
        let table = Csv::of(path.join(TABLE), &path.join(METRICS))?;
        let events = Events::new(path, Some(found.progress.step));
        Ok(Self { path: path.to_path_buf(), metrics, table, events, model, best, made: None, lock })
    }

    /// Puts another config in place, below the lines of comment that the old one begins with.
    pub(super) fn change_config(&self, config: &str, note: &str) -> Result<()> {
        let path = self.path.join(CONFIG);
        let old = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let notes: String = old.split_inclusive('\n').take_while(|line| line.starts_with('#')).collect();
        files::write(&Local, &path, format!("{notes}# {note}\n{config}").as_bytes())
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a checkpoint, with the best weights so far where epochs are judged.
    pub(super) fn save_checkpoint(
        &mut self,
        trainer: &Trainer,
        progress: Progress,
        keep: usize,
    ) -> Result<Saved> {
        let progress = Progress { log: self.metrics.sync(&Local)?, ..progress };
        let model = self.path.join(MODEL);
        let judged = progress.judged.best.is_some();
        let best = self.model.as_ref().filter(|_| judged).map(|sum| {
            let earlier = self.best.as_ref().filter(|(path, earlier)| earlier == sum && path.exists());
            Best { model: &model, sum, earlier: earlier.map(|(path, _)| path.as_path()) }
        });
        let folder = self.path.join(CHECKPOINTS);
        let saved = checkpoint::save_checkpoint(&Local, &folder, (trainer, &progress), best, keep)?;
        self.best = best.map(|best| (saved.best(), best.sum.clone()));
        Ok(saved)
    }

    /// Writes down an update that was not made; gives the folder.
    pub(super) fn save_failure(
        &self,
        trainer: &Trainer,
        progress: &Progress,
        batch: &BTreeMap<String, Tensor>,
    ) -> Result<PathBuf> {
        let path = self.path.join(FAILURE);
        checkpoint::save_failure(&Local, &path, (trainer, progress), batch)?;
        Ok(path)
    }

    /// Adds one line to `metrics.jsonl`, and to `metrics.csv` where it is an epoch's.
    pub(super) fn log(&mut self, line: &Map<String, Value>) -> Result<()> {
        self.metrics.add(&Local, &Value::Object(line.clone()).to_string())?;
        self.table.add(line, &self.path.join(METRICS));
        Ok(())
    }

    /// Brings `metrics.jsonl` to the disk.
    pub(super) fn sync_log(&mut self) -> Result<()> {
        self.metrics.sync(&Local).map(|_| ())
    }

    /// Puts the weights into `model.safetensors`.
    pub(super) fn save_model(&mut self, params: &Params) -> Result<()> {
        self.model = Some(checkpoint::save(&Local, &self.path.join(MODEL), params.state())?);
        Ok(())
    }

    /// Reads `model.safetensors` back.
    pub(super) fn load_model(&self, params: &Params) -> Result<()> {
        params.load(&checkpoint::load(&self.path.join(MODEL))?)
    }

    /// Takes a run back that came to nothing: no model, no checkpoint and no failure was written. Says whether it did.
    pub(super) fn discard_if_empty(self) -> bool {
        let Self { path, made, lock, .. } = self;
        let kept = [MODEL, CHECKPOINTS, FAILURE].iter().any(|name| path.join(name).exists());
        drop(lock);
        if !kept {
            remove(&path, made.as_deref());
        }
        !kept
    }
}

/// The config of the run in this folder; `command` is what asks for it.
pub(super) fn config_of(run: &Path, command: &str) -> Result<PathBuf> {
    let path = run.join(CONFIG);
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::data(run, format!("there is no {CONFIG} in this folder; {command} takes the folder of a run")))
}

/// The preprocessing of the run in this folder.
pub(super) fn preprocessing(run: &Path) -> Result<Preprocessing> {
    let path = run.join(DATA);
    if path.is_file() {
        return Preprocessing::read(&path);
    }
    Err(Error::data(
        run,
        format!("there is no {DATA} in this folder; train the run again to predict with it"),
    ))
}

/// The preprocessing of the run in this folder; nothing where it was made before that was kept.
pub(super) fn preprocessing_if_there(run: &Path) -> Result<Option<Preprocessing>> {
    let there = fs::symlink_metadata(run.join(DATA)).is_ok();
    if there { preprocessing(run).map(Some) } else { Ok(None) }
}

/// The right to go on with the run in this folder.
pub(super) fn lock_run(path: &Path) -> Result<Lock> {
    if !path.join(CONFIG).is_file() {
        let problem = "there is no run in this folder (no `config.toml`); --resume takes the folder of a run";
        return Err(Error::data(path, problem));
    }
    lock(path)
}

fn lock(path: &Path) -> Result<Lock> {
    Lock::take(&path.join("lock"))
}

/// Removes what a run wrote, and the folders that it made, from `path` out to `made`.
fn remove(path: &Path, made: Option<&Path>) {
    for name in [CONFIG, DATA, METRICS, TABLE] {
        let _ = fs::remove_file(path.join(name));
    }
    remove_folders(path, made);
}

/// Removes the folders that a run made, from `path` out to `made`.
fn remove_folders(path: &Path, made: Option<&Path>) {
    let Some(made) = made else { return };
    for folder in path.ancestors().take_while(|folder| folder.starts_with(made)) {
        // A folder that another run uses is not empty and stays.
        let _ = fs::remove_dir(folder);
    }
}

/// `runs/NAME-20261123-221530`, in UTC, with a number behind where two runs start in one second.
pub(super) fn default_path(name: &str) -> PathBuf {
    let base = format!("{name}-{}", jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S"));
    let candidates = (1..).map(|n| if n == 1 { base.clone() } else { format!("{base}-{n}") });
    let mut free = candidates.map(|name| Path::new("runs").join(name)).filter(|path| !path.exists());
    free.next().unwrap_or_else(|| Path::new("runs").join(&base))
}
