//! The folder of a run: `config.toml`, `model.safetensors`, `metrics.jsonl`, `checkpoints/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::checkpoint::{self, BestWeights, Progress, RunState, Saved, VerifiedCheckpoint};
use crate::data::{Fingerprint, Preprocessing};
use crate::error::{Error, Result};
use crate::files::{self, Checksum, Local, Lock, Log};
use crate::nn::Params;
use crate::trainer::Trainer;
use candle_core::Tensor;

use super::data_file::write_preprocessing;
use super::metrics_log::MetricsLog;
use super::names::{CHECKPOINTS, CONFIG, DATA, FAILURE, METRICS, MODEL, TABLE};
use super::new_folder::{NewFolder, lock, remove_folders, require_present};
use super::tensorboard::EVENTS;
use super::watched_config::WatchedConfig;

/// A run folder, locked by this process.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// `metrics.jsonl` and `metrics.csv`.
    pub(super) log: MetricsLog,
    /// `config.toml`, which somebody may change meanwhile.
    pub(super) config_file: WatchedConfig,
    /// The checksum of `model.safetensors`, if this run has written it.
    model: Option<Checksum>,
    /// The file of the last checkpoint that has the best weights, and its sum.
    best_weights: Option<(PathBuf, Checksum)>,
    /// The outermost folder that this run created.
    made: Option<PathBuf>,
    /// Held until the run ends; `None` if it could not be taken.
    lock: Option<Lock>,
}

impl RunFolder {
    /// Writes the config and the preprocessing into a new folder.
    pub(super) fn create(new: NewFolder, config: &str, preprocessing: &Preprocessing) -> Result<Self> {
        let NewFolder { path, made, lock } = new;
        let start = || -> Result<MetricsLog> {
            files::clear_leftovers(&Local, &path)?;
            files::write(&Local, &path.join(CONFIG), config.as_bytes())?;
            files::write(&Local, &path.join(DATA), preprocessing.to_toml()?.as_bytes())?;
            MetricsLog::create(path.join(METRICS), path.join(TABLE))
        };
        match start() {
            Ok(log) => {
                let config_file = WatchedConfig::of(&path);
                Ok(Self { path, log, config_file, model: None, best_weights: None, made, lock: Some(lock) })
            }
            Err(error) => {
                remove(&path, made.as_deref(), Some(lock));
                Err(error)
            }
        }
    }

    /// The newest checkpoint of a run that is whole. With `any_log` its log need not be.
    pub(crate) fn newest(path: &Path, any_log: bool) -> Result<VerifiedCheckpoint> {
        let folder = path.join(CHECKPOINTS);
        let found = if any_log {
            checkpoint::newest_with_any_log(&folder)
        } else {
            checkpoint::newest(&folder, &path.join(METRICS))
        };
        found.map_err(|error| match error {
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

    /// Takes a run folder back to where it was at a checkpoint. Damaged checkpoints are set aside, and with `restart_log` a
    /// log that no longer begins as it did then.
    pub(crate) fn reopen(
        path: &Path,
        found: &VerifiedCheckpoint,
        lock: Option<Lock>,
        restart_log: bool,
    ) -> Result<Self> {
        for folder in [path.to_path_buf(), path.join(CHECKPOINTS)] {
            for leftover in files::clear_leftovers(&Local, &folder)? {
                tracing::info!("removed {}, which a crash left half-written", leftover.display());
            }
        }
        checkpoint::set_aside(&Local, &found.damaged)?;
        let best_weights = found.best_weights().zip(found.best_checksum().cloned());
        if let Some((best, sum)) = &best_weights {
            let place = path.join(MODEL);
            files::require_free_or_file(&place)?;
            if !place.exists() || Checksum::of_file(&place)? != *sum {
                let bytes = fs::read(best).map_err(Error::io("read", best))?;
                files::write(&Local, &place, &bytes)?;
            }
        }
        let model = best_weights.as_ref().map(|(_, sum)| sum.clone());
        let log = path.join(METRICS);
        let log = if restart_log && !Log::begins_with(&log, &found.progress.log).unwrap_or(false) {
            tracing::info!("{} is set aside, and begun anew", log.display());
            MetricsLog::restart(log, path.join(TABLE))?
        } else {
            MetricsLog::resume(log, path.join(TABLE), &found.progress.log)?
        };
        let config_file = WatchedConfig::of(path);
        Ok(Self { path: path.to_path_buf(), log, config_file, model, best_weights, made: None, lock })
    }

    /// Replaces the config, below a new line of comment.
    pub(crate) fn change_config(&mut self, config: &str, note: &str, is_damaged: bool) -> Result<()> {
        self.config_file.rewrite(config, note, is_damaged)
    }

    /// Replaces `data.toml`: the preprocessing, and the fingerprint of the rows.
    pub(crate) fn save_preprocessing(
        &self,
        preprocessing: &Preprocessing,
        rows: Option<&Fingerprint>,
    ) -> Result<()> {
        require_present(&self.path, write_preprocessing(&self.path, preprocessing, rows))
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
        let has_best = progress.best_state.best.is_some();
        let best = self.model.as_ref().filter(|_| has_best).map(|sum| {
            let earlier =
                self.best_weights.as_ref().filter(|(path, earlier)| earlier == sum && path.exists());
            BestWeights { model: &model, sum, earlier: earlier.map(|(path, _)| path.as_path()) }
        });
        let folder = self.path.join(CHECKPOINTS);
        let saved = checkpoint::save_checkpoint(
            &Local,
            &folder,
            RunState { trainer, progress: &progress },
            best,
            keep,
        );
        let saved = require_present(&self.path, saved)?;
        self.best_weights = best.map(|best| (saved.best_weights(), best.sum.clone()));
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
        let saved = checkpoint::save_failure(&Local, &path, RunState { trainer, progress }, batch);
        require_present(&self.path, saved).map(|()| path)
    }

    /// Writes the weights to `model.safetensors`.
    pub(crate) fn save_model(&mut self, weights: &BTreeMap<String, Tensor>) -> Result<()> {
        let weights = weights.iter().map(|(name, tensor)| (name.as_str(), tensor.clone()));
        let saved = checkpoint::save(&Local, &self.path.join(MODEL), weights);
        self.model = Some(require_present(&self.path, saved)?);
        Ok(())
    }

    /// Reads `model.safetensors` back.
    pub(crate) fn load_model(&self, params: &Params) -> Result<()> {
        params.load(&checkpoint::load(&self.path.join(MODEL))?)
    }

    /// Removes the folder if no model, checkpoint or failure was written. Returns whether it did.
    pub(crate) fn discard_if_empty(self) -> bool {
        let Self { path, made, lock, .. } = self;
        let saved = [MODEL, CHECKPOINTS, FAILURE].iter().any(|name| path.join(name).exists());
        // A folder that was moved away keeps its files.
        let kept = saved || !path.exists();
        if !kept {
            remove(&path, made.as_deref(), lock);
        }
        !kept
    }
}

/// The reason why a path is no run.
fn no_run(path: &Path) -> String {
    if path.is_dir() {
        format!("there is no run in this folder (no `{CONFIG}`)")
    } else if path.exists() {
        "this is a file".to_owned()
    } else {
        "there is no such folder".to_owned()
    }
}

/// The config of the run in this folder; errors name the `command` that needs it.
pub(crate) fn config_of(run: &Path, command: &str) -> Result<PathBuf> {
    let path = run.join(CONFIG);
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::data(run, format!("{}; {command} takes the folder of a run", no_run(run))))
}

/// The best weights of the run in this folder.
pub(crate) fn model(run: &Path) -> PathBuf {
    run.join(MODEL)
}

/// Locks the folder of a run to resume it.
pub(crate) fn lock_run(path: &Path) -> Result<Lock> {
    // A checkpoint has the config too.
    if !path.join(CONFIG).is_file() && !path.join(CHECKPOINTS).is_dir() {
        return Err(Error::data(path, format!("{}; --resume takes the folder of a run", no_run(path))));
    }
    lock(path)
}

/// Removes the files of a run that was killed before it saved a checkpoint.
pub(super) fn clear_unsaved(path: &Path) -> Result<()> {
    let lock = lock(path)?;
    files::clear_leftovers(&Local, path)?;
    let _ = fs::remove_file(path.join(MODEL));
    let checkpoints = path.join(CHECKPOINTS);
    files::clear_leftovers(&Local, &checkpoints)?;
    let _ = fs::remove_dir(checkpoints);
    remove(path, None, Some(lock));
    Ok(())
}

/// Removes the files of a run that has saved nothing, and the folders that it created, from `path` out to `made`.
fn remove(path: &Path, made: Option<&Path>, lock: Option<Lock>) {
    // The folder was empty before this run.
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(EVENTS) {
            let _ = fs::remove_file(entry.path());
        }
    }
    // The config last: as long as it is there, the folder is known as that of a run, if this process is killed here.
    for name in [DATA, METRICS, TABLE, CONFIG] {
        let _ = fs::remove_file(path.join(name));
    }
    // Until here no other process may begin in it.
    drop(lock);
    remove_folders(path, made);
}
