//! Saving a run: weights, checkpoints, and the record of an update that failed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use candle_core::{Device, Tensor};

use super::Run;
use super::kept::{KeptModel, is_long_ago};
use super::observer::Observer;
use crate::checkpoint::{BestState, EpochScore, Failure, Progress};
use crate::config::{Config, Every};
use crate::data::Batch;
use crate::data::preprocess::TableEncoder;
use crate::error::{Error, Result};
use crate::kernels::team;

impl Run {
    /// Keeps the weights as those of `model.safetensors`. Where the config leaves it to the run when to save, they wait in
    /// memory for a second after the last ones.
    pub(super) fn keep_model(&mut self) -> Result<()> {
        if self.folder.is_none() {
            return Ok(());
        }
        self.model.waiting = Some(self.trainer.network().params().copy()?);
        let may_wait = matches!(self.config.run.checkpoint_every, Every::Auto | Every::Never);
        if may_wait && !self.is_over() && !is_long_ago(self.model.at) { Ok(()) } else { self.write_model() }
    }

    /// Writes the weights that wait. Those that cannot be written go on waiting.
    pub(super) fn write_model(&mut self) -> Result<()> {
        let (Some(weights), Some(folder)) = (&self.model.waiting, &mut self.folder) else { return Ok(()) };
        let saved = folder.save_model(weights);
        if saved.is_ok() {
            let score = self.tracker.state().best;
            let epoch = Some(self.tracker.best_epoch().unwrap_or(self.position.epoch));
            self.model = KeptModel { at: Some(Instant::now()), epoch, score, waiting: None };
        }
        self.forgive(saved)
    }

    /// Takes the weights that are kept into the network.
    pub(super) fn load_model(&self) -> Result<()> {
        let params = self.trainer.network().params();
        match &self.model.waiting {
            Some(weights) if self.model.epoch.is_none() => params.load(weights),
            _ => self.folder.as_ref().map_or(Ok(()), |folder| folder.load_model(params)),
        }
    }

    /// The best epoch by its score, as far as its weights are on the disk.
    pub(super) fn written_best(&self) -> Option<EpochScore> {
        if self.model.waiting.is_some() { self.model.score } else { self.tracker.state().best }
    }

    /// The epoch whose weights are kept.
    pub(super) fn best_epoch(&self) -> u64 {
        let written = self.model.waiting.is_some().then_some(self.model.epoch).flatten();
        written.or_else(|| self.tracker.best_epoch()).unwrap_or(self.position.epoch)
    }

    /// Writes a checkpoint, unless the config asks for none.
    pub(super) fn checkpoint(&mut self, observer: &mut dyn Observer) -> Result<()> {
        if self.config.run.checkpoint_every == Every::Never {
            return Ok(());
        }
        self.save(observer)
    }

    /// Writes a checkpoint, unless this step has one.
    pub(super) fn save(&mut self, observer: &mut dyn Observer) -> Result<()> {
        self.write_model()?;
        let step = self.trainer.steps();
        if self.saved == Some(step) {
            return Ok(());
        }
        self.trainer.require_finite(self.position.epoch)?;
        self.identify()?;
        let progress = self.progress(&self.config)?;
        let Some(folder) = &mut self.folder else { return Ok(()) };
        folder.config_file.warn_of_change();
        match folder.save_checkpoint(&self.trainer, progress, self.config.run.keep_last) {
            Ok(saved) => {
                tracing::debug!("saved {} ({} bytes)", saved.path.display(), saved.bytes);
                (self.saved, self.saved_at) = (Some(step), Some(Instant::now()));
                observer.checkpoint_saved(&saved);
                Ok(())
            }
            failed => self.forgive(failed.map(|_| ())),
        }
    }

    /// Starts to compute the fingerprint of rows on the CPU, if the run has a thread for it beside its own.
    pub(super) fn start_fingerprint(&mut self) {
        let device = self.trainer.network().params().device();
        if self.folder.is_some() && team::threads() > 1 && device.is_cpu() {
            self.fingerprint.start(&self.splits);
        }
    }

    /// Finds the fingerprint of the rows, and keeps it in `data.toml`: `eval` scores no others as the run's test split.
    pub(super) fn identify(&mut self) -> Result<()> {
        let Some(folder) = self.folder.as_ref().filter(|_| self.fingerprint.get().is_none()) else {
            return Ok(());
        };
        let rows = self.fingerprint.find(&self.splits)?;
        let kept = folder.save_preprocessing(&self.splits.preprocessing, Some(rows));
        self.forgive(kept)
    }

    /// The run's progress; the checksums of its files are added when they are written.
    fn progress(&self, config: &Config) -> Result<Progress> {
        Ok(Progress {
            config: config.to_toml()?,
            epoch: self.position.epoch,
            step: self.trainer.steps(),
            step_in_epoch: self.position.updates,
            seconds: self.seconds(),
            within: self.position.within,
            skipped: self.position.skipped,
            best_state: BestState { best: self.written_best(), ..self.tracker.state().clone() },
            data: self.fingerprint.get().cloned().unwrap_or_default(),
            ..Progress::default()
        })
    }

    /// Records an update that was not made because something was no longer finite, so that it can be replayed.
    pub(super) fn record_failure(&self, error: Error) -> Error {
        let Error::Diverged { what, value, step, lr, first, .. } = &error else { return error };
        let Some(folder) = &self.folder else { return error };
        let rows = self.trainer.failed_rows().unwrap_or_default();
        let record = || -> Result<PathBuf> {
            let loss = self.trainer.loss().clone();
            let table = self.splits.preprocessing.table();
            let failure = Failure {
                what: (*what).to_owned(),
                value: *value,
                step: *step,
                lr: *lr,
                seed: self.config.seed,
                first: first.clone(),
                outputs: loss.width(self.splits.outputs),
                embeddings: table.map(TableEncoder::embeddings).unwrap_or_default(),
                features: table.map_or(0, TableEncoder::features),
                numerical: table.map(TableEncoder::numerical),
            };
            // The loss as the training rows made it, which are not at hand when the update is repeated.
            let schedule = self.trainer.optimizer().plan().clone();
            let config = Config { loss, schedule, ..self.config.clone() };
            let progress = Progress { failure: Some(failure), ..self.progress(&config)? };
            let batch = self.failed_batch(rows)?;
            folder.save_failure(&self.trainer, &progress, &batch)
        };
        match record() {
            Ok(path) => error.with_record(path),
            Err(problem) => {
                tracing::warn!("the failure could not be written down: {problem}");
                error
            }
        }
    }

    /// The rows of an update, by the names of their tensors.
    fn failed_batch(&self, rows: &[u32]) -> Result<BTreeMap<String, Tensor>> {
        let Batch { xs, ys, weights } = self.splits.train.batch(rows)?;
        let rows = Tensor::new(rows, &Device::Cpu)?;
        let weights = weights.map(|weights| ("weights", weights));
        let batch = [("rows", rows), ("xs", xs), ("ys", ys)].into_iter().chain(weights);
        Ok(batch.map(|(name, xs)| (name.to_owned(), xs)).collect())
    }

    /// With `keep_going` a failed write is a warning.
    pub(super) fn forgive(&self, written: Result<()>) -> Result<()> {
        match written {
            Err(error) if self.options.keep_going => {
                tracing::warn!("{error}; continuing (--keep-going)");
                Ok(())
            }
            result => result,
        }
    }
}
