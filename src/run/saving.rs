//! What a run saves: weights, checkpoints, and the record of an update that failed.

use std::path::PathBuf;
use std::time::Instant;

use candle_core::{Device, Tensor};

use super::Run;
use super::observer::Observer;
use crate::checkpoint::{Failure, Progress};
use crate::config::{Config, Every};
use crate::data::preprocess::TableEncoder;
use crate::data::{Batch, Fingerprint};
use crate::error::{Error, Result};

impl Run {
    /// Whether `model.safetensors` was last written over a second ago. Where nothing is validated every epoch has weights
    /// to keep, and an epoch can take less time than writing them.
    pub(super) fn was_long_ago(&self) -> bool {
        self.kept.is_none_or(|kept| kept.elapsed().as_secs() >= 1)
    }

    /// Writes the weights to `model.safetensors`.
    pub(super) fn keep_model(&mut self) -> Result<()> {
        let saved = self.folder.save_model(self.trainer.network().params());
        self.kept = Some(Instant::now());
        self.forgive(saved)
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
        let step = self.trainer.steps();
        if self.saved == Some(step) {
            return Ok(());
        }
        self.trainer.require_finite(self.position.epoch)?;
        if self.fingerprint.get().is_none() {
            let _ = self.fingerprint.set(Fingerprint::of(&self.splits)?);
        }
        let progress = self.progress(&self.config)?;
        match self.folder.save_checkpoint(&self.trainer, progress, self.config.run.keep_last) {
            Ok(saved) => {
                tracing::debug!("saved {} ({} bytes)", saved.path.display(), saved.bytes);
                self.saved = Some(step);
                observer.checkpoint_saved(&saved);
                Ok(())
            }
            failed => self.forgive(failed.map(|_| ())),
        }
    }

    /// Where the run stands; the checksums of its files are added when they are written.
    fn progress(&self, config: &Config) -> Result<Progress> {
        Ok(Progress {
            config: config.to_toml()?,
            epoch: self.position.epoch,
            step: self.trainer.steps(),
            step_in_epoch: self.position.updates,
            seconds: self.seconds(),
            within: self.position.within,
            judged: self.tracker.state().clone(),
            data: self.fingerprint.get().cloned().unwrap_or_default(),
            ..Progress::default()
        })
    }

    /// Records an update that was not made because something was no longer finite, so that it can be replayed.
    pub(super) fn record_failure(&self, error: Error) -> Error {
        let Error::Diverged { what, value, step, lr, first, .. } = &error else { return error };
        let rows = self.trainer.failed_rows().unwrap_or_default();
        let record = || -> Result<PathBuf> {
            let loss = self.trainer.loss().clone();
            let failure = Failure {
                what: (*what).to_owned(),
                value: *value,
                step: *step,
                lr: *lr,
                seed: self.config.seed,
                first: first.clone(),
                outputs: loss.width(self.splits.outputs),
                embeddings: self
                    .splits
                    .preprocessing
                    .table()
                    .map(TableEncoder::embeddings)
                    .unwrap_or_default(),
                features: self.splits.preprocessing.table().map_or(0, TableEncoder::features),
            };
            // The loss as the training rows made it, which are not at hand when the update is repeated.
            let config = Config { loss, ..self.config.clone() };
            let progress = Progress { failure: Some(failure), ..self.progress(&config)? };
            let Batch { xs, ys } = self.splits.train.batch(rows)?;
            let rows = Tensor::new(rows, &Device::Cpu)?;
            let batch = [("rows", rows), ("xs", xs), ("ys", ys)].map(|(name, xs)| (name.to_owned(), xs));
            self.folder.save_failure(&self.trainer, &progress, &batch.into())
        };
        match record() {
            Ok(path) => error.with_record(path),
            Err(problem) => {
                tracing::warn!("the failure could not be written down: {problem}");
                error
            }
        }
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
