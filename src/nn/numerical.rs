//! Embeddings of numerical features, `[model.numerical]`: Gorishniy et al. 2022, <https://arxiv.org/abs/2203.05556>, with the
//! names and defaults of `rtdl_num_embeddings`.

mod layer;
pub mod periodic;
pub mod piecewise_linear;

use candle_core::Tensor;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{GradWriter, NumericalOp, Params};
use crate::error::Result;
use crate::registry::{self, FromTable, KeyError};

pub use layer::NumericalEmbeddings;

/// The options of an embedding of numerical features.
pub trait NumericalOptions {
    /// Validates the options; an error names the key.
    fn check(&self) -> Result<(), KeyError>;

    /// A warning about options that do not suit each other.
    fn warning(&self) -> Option<KeyError> {
        None
    }

    /// The numbers that a feature becomes.
    fn width(&self) -> usize;

    /// The embedding of so many features, with parameters `numerical.…`.
    fn build(&self, params: &mut Params, features: usize) -> Result<Box<dyn Embedding>>;
}

crate::registry! {
    /// The known embeddings of numerical features, by `model.numerical.name`.
    pub enum Numerical: "numerical embedding", NumericalOptions {
        "periodic" => Periodic(periodic::Periodic),
        "piecewise_linear" => PiecewiseLinear(piecewise_linear::PiecewiseLinear),
    }
}

impl<'de> Deserialize<'de> for Numerical {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::Table(table) => Self::from_table(table).map_err(|e| registry::inside(&e)),
            toml::Value::String(name) => Err(D::Error::custom(format!(
                "is \"{name}\"; write a section, `[model.numerical]` with name = \"{name}\""
            ))),
            other => Err(D::Error::custom(format!(
                "is {other}; write a section, `[model.numerical]` with name = \"periodic\""
            ))),
        }
    }
}

/// The way back through an embedding: from the gradient of its value to that of the features, where it is wanted. The
/// parameters' gradients go to the writer.
type EmbeddingPullback = Box<dyn FnOnce(&Tensor, &GradWriter<'_>, bool) -> Result<Option<Tensor>> + Send>;

/// The value of an embedding, and the way back.
pub struct Embedded {
    /// (N, F · width)
    pub(super) ys: Tensor,
    pub(super) back: EmbeddingPullback,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").field("ys", &self.ys).finish_non_exhaustive()
    }
}

/// An embedding of several features, each with parameters of its own.
pub trait Embedding: std::fmt::Debug + Send + Sync {
    /// The numbers that a feature becomes.
    fn width(&self) -> usize;

    /// The numbers of a feature in each part of the value, which has all features of a part one after the other.
    fn columns(&self) -> Vec<usize> {
        vec![self.width()]
    }

    /// Embeds xs (N, F).
    fn embed(&self, xs: &Tensor) -> Result<Embedded>;

    /// Fits what is not learnt to features of training rows, (N, F), which count as often as their weights say.
    fn fit(&self, _xs: &Tensor, _weights: Option<&[f64]>) -> Result<()> {
        Ok(())
    }

    /// A description, for exporters.
    fn describe(&self) -> NumericalOp;
}

/// Requires a whole number of at least 1.
fn check_count(key: &str, count: usize) -> Result<(), KeyError> {
    const MOST: usize = 1 << 16;
    if (1..=MOST).contains(&count) {
        return Ok(());
    }
    Err(KeyError::new(key, format!("is {count}; it must be 1 to {MOST}")))
}
