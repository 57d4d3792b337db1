//! What a run writes to go on from, and what it leaves when it cannot.

use std::path::PathBuf;
use std::time::Instant;

use candle_core::{Device, Tensor};

use super::{Outcome, Run};
use crate::checkpoint::{Failure, Progress};
use crate::cli::signals::Stop;
use crate::config::Config;
use crate::data::preprocess::TableEncoder;
use crate::data::{Batch, Fingerprint};
use crate::error::{Error, Result};
use crate::trainer::Every;

impl Run {
    /// Where nothing is judged the last weights are the ones to keep; an epoch can take less than writing them does.
    pub(super) fn was_long_ago(&self) -> bool {
        self.kept.is_none_or(|kept| kept.elapsed().as_secs() >= 1)
    }

    pub(super) fn keep_model(&mut self) -> Result<()> {
        let saved = self.folder.save_model(self.trainer.network().params());
        self.kept = Some(Instant::now());
        self.forgive(saved)
    }

    /// Writes a checkpoint, where the config does not ask for none.
    pub(super) fn checkpoint(&mut self) -> Result<()> {
        if self.config.train.checkpoint_every == Every::Never {
            return Ok(());
        }
        self.save()
    }

    /// Writes a checkpoint, unless this step has one.
    pub(super) fn save(&mut self) -> Result<()> {
        let step = self.trainer.steps();
        if self.saved == Some(step) {
            return Ok(());
        }
        self.trainer.require_finite(self.place.epoch)?;
        if self.data.get().is_none() {
            let _ = self.data.set(Fingerprint::of(&self.splits)?);
        }
        let progress = self.progress(&self.config)?;
        match self.folder.save_checkpoint(&self.trainer, progress, self.config.train.keep_last) {
            Ok(saved) => {
                tracing::debug!("saved {} ({} bytes)", saved.path.display(), saved.bytes);
                self.saved = Some(step);
                Ok(())
            }
            failed => self.forgive(failed.map(|_| ())),
        }
    }

    /// Where the run stands, but for what is known of its files.
    fn progress(&self, config: &Config) -> Result<Progress> {
        Ok(Progress {
            config: config.to_toml()?,
            epoch: self.place.epoch,
            step: self.trainer.steps(),
            step_in_epoch: self.place.updates,
            seconds: self.seconds(),
            within: self.place.within,
            judged: self.watch.judged().clone(),
            data: self.data.get().cloned().unwrap_or_default(),
            ..Progress::default()
        })
    }

    /// Writes down an update that was not made because something was no longer finite, so that it can be repeated.
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

    /// With --keep-going what could not be written is a warning.
    pub(super) fn forgive(&self, written: Result<()>) -> Result<()> {
        match written {
            Err(error) if self.options.keep_going => {
                tracing::warn!("{error}; going on without, as --keep-going asks");
                Ok(())
            }
            result => result,
        }
    }

    /// Saves and stops because a signal asks to.
    pub(super) fn stop(&mut self) -> Result<Outcome> {
        self.save()?;
        // The last weights are the ones to keep where nothing is judged; an average is made at an epoch's end.
        if self.watch.judged().best.is_none() && self.config.train.average.is_none() {
            self.keep_model()?;
        }
        let step = self.trainer.steps();
        Ok(Outcome::Stopped(self.signals.stop().unwrap_or(Stop::Interrupt), step))
    }
}
