//! The keys of `[train]` that a run reads: its length, evaluation and checkpoints. They are defined here because a
//! config is read below [`run`](crate::run).

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::registry::KeyError;
use crate::trainer::EarlyStopping;

/// The length of a run, and its evaluation and checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// Number of passes over the training rows.
    #[schemars(range(min = 1))]
    pub epochs: u64,
    /// Stop after this many updates; 0: no limit.
    pub max_steps: u64,
    /// Stop after this many seconds; 0: no limit.
    #[schemars(range(min = 0))]
    pub max_time: f64,
    /// Evaluate the training rows at the end of each epoch, in evaluation mode and all with the same weights
    /// (`train_end_loss`). The usual `train_loss` is each batch's loss before its own update, which cannot be compared
    /// between batch, stochastic and mini-batch descent.
    pub measure_train: bool,
    /// Divide the logits of classes by the temperature that gives the lowest log loss on the validation rows, at the end of the
    /// run: the last layer's weights are divided, so that every tool has calibrated probabilities.
    pub calibrate: bool,
    /// Stop when a metric no longer improves.
    pub early_stopping: Option<EarlyStopping>,
    /// When a checkpoint is written: "auto" (at the end of an epoch, but once a second at most), "epoch", a number of steps,
    /// or "never". The last step is always saved, but for "never".
    #[schemars(with = "serde_json::Value")]
    #[schemars(extend("anyOf" = [{ "enum": ["auto", "epoch", "never"] }, { "type": "integer", "minimum": 1 }]))]
    pub checkpoint_every: Every,
    /// Number of checkpoints that are kept.
    #[schemars(range(min = 1))]
    pub keep_last: usize,
    /// Write an event file for TensorBoard.
    pub tensorboard: bool,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            epochs: 1,
            max_steps: 0,
            max_time: 0.0,
            measure_train: false,
            calibrate: false,
            early_stopping: None,
            checkpoint_every: Every::Auto,
            keep_last: 3,
            tensorboard: true,
        }
    }
}

impl RunConfig {
    /// Validates the options; an error names the key.
    pub fn check(&self) -> Result<(), KeyError> {
        if !self.max_time.is_finite() || self.max_time < 0.0 {
            let problem = format!("is {}; it must be a number of seconds, 0 or more", self.max_time);
            return Err(KeyError::new("max_time", problem));
        }
        let zero = [
            ("epochs", self.epochs == 0),
            ("keep_last", self.keep_last == 0),
            ("checkpoint_every", self.checkpoint_every == Every::Steps(0)),
        ];
        match zero.iter().find(|(_, zero)| *zero) {
            Some((key, _)) => Err(KeyError::new(*key, "is 0; it must be 1 or more")),
            None => Ok(()),
        }
    }
}

/// When a checkpoint is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// After an epoch, once a second at most: an epoch can take less time than saving it.
    Auto,
    /// After each epoch.
    Epoch,
    /// After that many updates.
    Steps(u64),
    /// Never.
    Never,
}

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(word) if word == "auto" => Ok(Self::Auto),
            toml::Value::String(word) if word == "epoch" => Ok(Self::Epoch),
            toml::Value::String(word) if word == "never" => Ok(Self::Never),
            toml::Value::Integer(steps) if steps > 0 => Ok(Self::Steps(steps.cast_unsigned())),
            other => Err(D::Error::custom(format!(
                "is {other}; it must be \"auto\", \"epoch\", \"never\" or a number of steps"
            ))),
        }
    }
}

impl Serialize for Every {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => "auto".serialize(serializer),
            Self::Epoch => "epoch".serialize(serializer),
            Self::Never => "never".serialize(serializer),
            Self::Steps(steps) => steps.serialize(serializer),
        }
    }
}
