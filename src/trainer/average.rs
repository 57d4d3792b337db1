//! Averages of the weights along training, which generalise better than the last ones: as
//! <https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema>.

pub mod ema;
pub mod swa;

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::error::{Error, Result};
use crate::kernels::lerp;
use crate::nn::{Param, Params};
use crate::registry;
use crate::registry::{FromTable, KeyError};

/// A rule for averaging weights.
pub trait Averaging {
    /// Validates the options for a run of `epochs` epochs.
    fn check(&self, epochs: u64) -> Result<(), KeyError>;

    /// Whether the weights of this moment join the average: after every update, and once more, with `end`, after an
    /// epoch's last. After updates they join in all of a run or in none: a GPU repeats an update as it was captured.
    fn joins(&self, epoch: u64, end: bool) -> bool;

    /// A warning about options that do not suit a run of `updates` updates.
    fn warning(&self, _updates: u64) -> Option<KeyError> {
        None
    }

    /// The share that the weights have in the new average, where `count` joined before.
    fn share(&self, count: u64) -> f64;
}

registry! {
    /// The known averages, by `train.average.name`.
    pub enum Averages: "average", Averaging {
        "ema" => Ema(ema::Ema),
        "swa" => Swa(swa::Swa),
    }
}

impl<'de> Deserialize<'de> for Averages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::Table(table) => Self::from_table(table).map_err(|e| registry::inside(&e)),
            toml::Value::String(name) => Err(D::Error::custom(format!(
                "is \"{name}\"; expected a table, as in {{ name = \"{name}\" }}"
            ))),
            other => {
                Err(D::Error::custom(format!("is {other}; expected a table, as in {{ name = \"ema\" }}")))
            }
        }
    }
}

/// The average of the parameters so far.
#[derive(Debug, Clone)]
pub(super) struct Average {
    rule: Averages,
    count: u64,
    /// By parameter; what they hold is only meant where weights have joined.
    values: Vec<Tensor>,
}

impl Average {
    pub(super) fn new(rule: Averages) -> Self {
        Self { rule, count: 0, values: Vec::new() }
    }

    /// Takes the weights in, where it is their turn.
    pub(super) fn see(&mut self, params: &Params, epoch: u64, end: bool) -> Result<()> {
        if !self.rule.joins(epoch, end) {
            return Ok(());
        }
        let weights = params.trainable().iter().map(Param::value);
        if self.count == 0 {
            self.values = weights.map(Tensor::copy).collect::<Result<_, _>>()?;
        } else {
            let share = self.rule.share(self.count);
            for (value, weight) in self.values.iter_mut().zip(weights) {
                if end {
                    // Once an epoch, and it may be taken back: clones keep the values from before.
                    *value = lerp::reference(value, weight, share)?;
                } else {
                    lerp::assign(value, weight, share)?;
                }
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Takes the weights in by `lerp`, which may happen later, into memory that stays the same.
    pub(super) fn see_later(
        &mut self,
        params: &Params,
        epoch: u64,
        lerp: &dyn Fn(&Tensor, &Tensor, f64) -> candle_core::Result<()>,
    ) -> Result<()> {
        if !self.rule.joins(epoch, false) {
            return Ok(());
        }
        let weights = params.trainable().iter().map(Param::value);
        if self.values.is_empty() {
            self.values = weights.clone().map(Tensor::zeros_like).collect::<Result<_, _>>()?;
        }
        // The first take the place of the zeros.
        let share = if self.count == 0 { 1.0 } else { self.rule.share(self.count) };
        for (value, weight) in self.values.iter().zip(weights) {
            lerp(value, weight, share)?;
        }
        self.count += 1;
        Ok(())
    }

    /// The number of weights that have joined.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Returns to an earlier count, after updates that were queued and not made.
    pub(super) fn return_to(&mut self, count: u64) {
        self.count = count;
    }

    /// The state dict with the averages in the parameters' place; `None` before the first weights joined.
    pub(super) fn state(&self, params: &Params) -> Result<Option<BTreeMap<String, Tensor>>> {
        if self.count == 0 {
            return Ok(None);
        }
        let mut state = params.copy()?;
        for (param, value) in params.trainable().iter().zip(&self.values) {
            state.insert(param.name().to_owned(), value.copy()?);
        }
        Ok(Some(state))
    }

    /// The average that a state by [`Self::named`]'s names has.
    ///
    /// # Errors
    /// Every tensor that is missing or of another shape.
    pub(super) fn restored(&self, params: &Params, state: Option<&BTreeMap<String, Tensor>>) -> Result<Self> {
        let Some(state) = state else {
            let problem = "the checkpoint has no average of the weights; remove `train.average`";
            return Err(Error::Weights(problem.to_owned()));
        };
        let missing =
            |name: &str| Error::Weights(format!("`{name}` is missing in the average, or does not fit"));
        let count = state.get("n_averaged").filter(|count| count.rank() == 0);
        let count = count.ok_or_else(|| missing("n_averaged"))?.to_dtype(DType::I64)?.to_scalar::<i64>()?;
        let mut values = Vec::new();
        for param in params.trainable().iter().filter(|_| count > 0) {
            let (name, own) = (format!("module.{}", param.name()), param.value());
            let value = state.get(&name).filter(|value| value.dims() == own.dims());
            let value = value.ok_or_else(|| missing(&name))?;
            // A copy: the average changes in place.
            values.push(value.to_dtype(own.dtype())?.to_device(own.device())?.copy()?);
        }
        Ok(Self { rule: self.rule.clone(), count: count.cast_unsigned(), values })
    }

    /// The state by the names of torch's `AveragedModel`.
    pub(super) fn named(&self, params: &Params) -> Result<Vec<(String, Tensor)>> {
        let state = self.state(params)?.unwrap_or_default();
        let count = Tensor::new(self.count.cast_signed(), &Device::Cpu)?.to_dtype(DType::I64)?;
        let module = state.into_iter().map(|(name, tensor)| (format!("module.{name}"), tensor));
        Ok(std::iter::once(("n_averaged".to_owned(), count)).chain(module).collect())
    }
}
