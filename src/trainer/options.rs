//! `[train]`: how a network is trained. [`RunConfig`](crate::config::RunConfig) has its duration and its checkpoints.

mod early_stopping;

use candle_core::DType;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::average::Averages;
use crate::kernels::MatmulPrecision;
use crate::optim::Clip;
use crate::optim::schedule::SchedulePlan;
use crate::registry::KeyError;

pub use early_stopping::{EarlyStopping, check_monitor};

/// The options of a trainer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub struct TrainOptions {
    /// Rows in a batch: a number, or "full" for batch gradient descent; 1 is stochastic.
    #[schemars(with = "serde_json::Value")]
    #[schemars(extend("anyOf" = [{ "type": "integer", "minimum": 1 }, { "const": "full" }]))]
    pub batch_size: Descent,
    /// Parts of a batch whose gradients are added in a fixed tree, a power of two: then 1, 2, 4, … ranks (MPI) up to
    /// this number give the same bits.
    #[schemars(extend("enum" = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]))]
    pub shards: usize,
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
    /// Whether a last batch that is smaller is left out.
    pub drop_last: bool,
    /// The largest norm of all gradients together.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub clip_grad_norm: Option<f64>,
    /// The largest absolute value of a gradient's element.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub clip_grad_value: Option<f64>,
    /// Batches whose gradients make one update: that of the mean over all their rows together, as if they were one batch.
    #[schemars(range(min = 1))]
    pub accumulate: usize,
    /// Weights that are averaged along training: the model that is evaluated and saved has the average.
    pub average: Option<Averages>,
    /// The type of the numbers.
    pub dtype: FloatType,
    /// In which precision products run: "f32", "tf32" or "bf16". Parameters and moments stay f32.
    pub precision: MatmulPrecision,
    /// On a GPU: whether an update is captured as a CUDA graph and replayed with one launch. Without effect where the host
    /// takes part in updates (L-BFGS, Muon, Adafactor, LAMB; shards), `schedule.dropout` changes them, or weights of classes
    /// or ignored rows give each another divisor.
    pub cuda_graph: bool,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            batch_size: Descent::MiniBatch(64),
            shards: 1,
            shuffle: true,
            drop_last: false,
            clip_grad_norm: None,
            clip_grad_value: None,
            accumulate: 1,
            average: None,
            dtype: FloatType::F32,
            precision: MatmulPrecision::F32,
            cuda_graph: true,
        }
    }
}

impl TrainOptions {
    /// Validates the options; an error names the key.
    pub fn check(&self) -> Result<(), KeyError> {
        if self.batch_size == Descent::MiniBatch(0) {
            return Err(KeyError::new("batch_size", "is 0; it must be 1 or more"));
        }
        let limits = [("clip_grad_norm", self.clip_grad_norm), ("clip_grad_value", self.clip_grad_value)];
        for (key, limit) in limits {
            if let Some(limit) = limit
                && (limit.is_nan() || limit <= 0.0)
            {
                let problem = format!("is {limit}; it must be greater than 0, or left out");
                return Err(KeyError::new(key, problem));
            }
        }
        if self.clip_grad_norm.is_some() && self.clip_grad_value.is_some() {
            return Err(KeyError::new("clip_grad_value", "cannot be used with `clip_grad_norm`; choose one"));
        }
        if self.precision != MatmulPrecision::F32 && self.dtype != FloatType::F32 {
            let problem = "rounds the products of a run in f32; leave `train.dtype` at f32";
            return Err(KeyError::new("precision", problem));
        }
        // Each has gradients of its own in memory.
        if !self.shards.is_power_of_two() || self.shards > 1024 {
            let problem = format!("is {}; it must be a power of two up to 1024: 1, 2, 4, 8 …", self.shards);
            return Err(KeyError::new("shards", problem));
        }
        if self.accumulate == 0 {
            return Err(KeyError::new("accumulate", "is 0; it must be 1 or more"));
        }
        // The number of epochs belongs to the run.
        let average = self.average.as_ref().map_or(Ok(()), |average| average.check(u64::MAX));
        average.map_err(|e| e.under("average"))
    }

    /// Whether updates are captured as a CUDA graph. Its replays read the optimizer's numbers anew, but drop out as often as
    /// the captured one.
    pub(super) fn graph_with(&self, plan: &SchedulePlan) -> bool {
        self.cuda_graph && plan.timing.dropout.is_none()
    }

    /// The clipping of the gradients.
    pub fn clip(&self) -> Clip {
        match (self.clip_grad_norm, self.clip_grad_value) {
            (Some(norm), _) => Clip::Norm(norm),
            (_, Some(value)) => Clip::Value(value),
            _ => Clip::None,
        }
    }

    /// The updates of an epoch over `len` rows.
    pub fn updates_in_an_epoch(&self, len: usize) -> u64 {
        let update = self.batch_size.rows(len).saturating_mul(self.accumulate);
        self.rows_in_an_epoch(len).div_ceil(update.max(1)) as u64
    }

    /// The rows of an epoch over `len` rows.
    pub fn rows_in_an_epoch(&self, len: usize) -> usize {
        let batch = self.batch_size.rows(len);
        if self.drop_last { len - len % batch } else { len }
    }
}

/// Gradient descent by the rows that an update sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descent {
    /// All of them: one update an epoch.
    Batch,
    /// One.
    Stochastic,
    /// That many.
    MiniBatch(usize),
}

impl Descent {
    /// The rows of a batch of a data set of `len` rows.
    pub fn rows(self, len: usize) -> usize {
        match self {
            Self::Batch => len.max(1),
            Self::Stochastic => 1,
            Self::MiniBatch(rows) => rows.max(1),
        }
    }
}

impl<'de> Deserialize<'de> for Descent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(word) if word == "full" => Ok(Self::Batch),
            toml::Value::Integer(1) => Ok(Self::Stochastic),
            toml::Value::Integer(rows) if rows > 1 => {
                usize::try_from(rows).map(Self::MiniBatch).map_err(D::Error::custom)
            }
            other => Err(D::Error::custom(format!(
                "is {other}; it must be a number of rows, 1 or more, or \"full\""
            ))),
        }
    }
}

impl Serialize for Descent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Batch => "full".serialize(serializer),
            Self::Stochastic => 1.serialize(serializer),
            Self::MiniBatch(rows) => rows.serialize(serializer),
        }
    }
}

/// The type of a run's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FloatType {
    /// 16 bits with the range of 32. On the CPU this is slow: candle widens for every product.
    Bf16,
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

impl FloatType {
    /// The number as this type has it: infinite where it is too large.
    pub fn round(self, number: f64) -> f64 {
        #[allow(clippy::cast_possible_truncation, reason = "rounding is what this is for")]
        match self {
            Self::F32 | Self::Bf16 => f64::from(number as f32),
            Self::F64 => number,
        }
    }

    /// The largest number of this type.
    pub fn largest(self) -> f64 {
        if self == Self::F64 { f64::MAX } else { f64::from(f32::MAX) }
    }

    /// Whether the number is finite in this type.
    pub fn holds(self, number: f64) -> bool {
        self.round(number).is_finite()
    }
}

impl From<FloatType> for DType {
    fn from(precision: FloatType) -> Self {
        match precision {
            FloatType::Bf16 => Self::BF16,
            FloatType::F32 => Self::F32,
            FloatType::F64 => Self::F64,
        }
    }
}
