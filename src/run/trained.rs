//! The folder of a trained run, read back: its config, its preprocessing and its best weights.

use std::path::{Path, PathBuf};

use candle_core::Device;

use super::data_file;
use super::folder;
use super::session::{self, Session};
use super::unfinished;
use crate::checkpoint;
use crate::config::Config;
use crate::data::{Decision, Preprocessing, Threshold};
use crate::error::{Error, Result};
use crate::model::Network;

/// A trained run.
pub(crate) struct TrainedRun {
    /// Its config, with the overrides.
    pub(crate) config: Config,
    folder: PathBuf,
    /// The preprocessing; `None` for a run from before that was kept.
    preprocessing: Option<Preprocessing>,
    allow_nonfinite: bool,
}

/// The parts of a run that predictions need.
pub(crate) struct Trained {
    pub(crate) preprocessing: Preprocessing,
    /// The network with the best weights.
    pub(crate) network: Network,
}

impl TrainedRun {
    /// Opens the run in `folder`; `overrides`, `KEY=VALUE` each, change its config. Messages name the `command`.
    pub(crate) fn open(folder: &Path, command: &str, overrides: &[&str]) -> Result<Self> {
        let config = Config::of_run(&folder::config_of(folder, command)?, overrides).map_err(|error| {
            if overrides.is_empty() { unfinished::with_resume(error, folder) } else { error }
        })?;
        let preprocessing = data_file::preprocessing(folder)?;
        Ok(Self { config, folder: folder.to_path_buf(), preprocessing, allow_nonfinite: false })
    }

    /// The same run that predicts the positive one of two classes from this probability on, which `flag` gives.
    ///
    /// # Errors
    /// The run has no two classes.
    pub(crate) fn with_threshold(mut self, threshold: f64, flag: &'static str) -> Result<Self> {
        self.config.preparation.threshold = Some(Threshold::Probability(threshold));
        self.config.origin = self.config.origin.with_flag("data.threshold", flag);
        self.config.check().map_err(|error| self.config.origin.locate(error))?;
        Ok(self)
    }

    /// Accepts NaN and infinite values in the weights.
    pub(crate) fn allow_nonfinite(self, allow: bool) -> Self {
        Self { allow_nonfinite: allow, ..self }
    }

    /// The same run with another config.
    pub(super) fn with_config(&self, config: Config) -> Self {
        let Self { folder, preprocessing, allow_nonfinite, .. } = self;
        let (folder, preprocessing) = (folder.clone(), preprocessing.clone());
        Self { config, folder, preprocessing, allow_nonfinite: *allow_nonfinite }
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The threshold that was chosen on the validation rows, or that the config has.
    pub(super) fn decision(&self) -> Option<Decision> {
        self.preprocessing.as_ref()?.decision
    }

    /// The data of the config, encoded as it was for training, and the network with the best weights.
    pub(crate) fn session(&self, device: &Device) -> Result<Session> {
        let session = Session::open(&self.config, self.preprocessing.as_ref(), device);
        let session = session.map_err(|error| session::moved(self.config.locate(error), &self.config))?;
        self.load_weights(&session.network)?;
        match (self.config.preparation.threshold, self.decision()) {
            (Some(Threshold::F1), Some(chosen)) => {
                Ok(Session { splits: session.splits.with_decision(chosen), ..session })
            }
            _ => Ok(session),
        }
    }

    /// The parts that predictions need; no data is read.
    pub(crate) fn network(self, device: &Device) -> Result<Trained> {
        let Some(preprocessing) = &self.preprocessing else {
            return Err(data_file::no_preprocessing(&self.folder));
        };
        let outputs = self.config.loss.width(preprocessing.outputs);
        let network = session::network(&self.config, preprocessing, outputs, device)?;
        self.load_weights(&network)?;
        Ok(Trained { preprocessing: preprocessing.clone(), network })
    }

    fn load_weights(&self, network: &Network) -> Result<()> {
        let weights = folder::model(&self.folder);
        if !weights.exists() {
            return Err(unfinished::no_weights(&self.folder));
        }
        let state = checkpoint::load_checked(&weights, self.allow_nonfinite)?;
        network.params().load(&state).map_err(|e| Error::data(&weights, e.to_string()))
    }
}
