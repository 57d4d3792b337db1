//! The named tensors of a network: trained parameters, and buffers that are only tracked.

mod loading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};

use super::init::{Init, ParamShape};
use crate::error::{Error, Result};
use crate::kernels::MatmulPrecision;
use crate::rng::{Purpose, Stream};

/// The most numbers that a network may have.
pub const MOST_NUMBERS: usize = 1 << 28;

/// A trained parameter. Clones share its storage.
#[derive(Debug, Clone)]
pub struct Param {
    name: String,
    index: usize,
    var: Var,
    value: Tensor,
    gain: f64,
}

impl Param {
    /// Its name in the state dict.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The layer's name: the parameter's without its last part.
    pub fn layer(&self) -> &str {
        self.name.rsplit_once('.').map_or(&self.name, |(layer, _)| layer)
    }

    /// Its place among the parameters.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The factor by which the optimizer sees the parameter larger, and its gradient smaller: √fan-in in the NTK
    /// parametrisation, whose weights stand here with their factor 1/√fan-in multiplied in.
    pub fn gain(&self) -> f64 {
        self.gain
    }

    /// The variable, for updates.
    pub fn var(&self) -> &Var {
        &self.var
    }

    /// The value, not tracked by candle's autograd; it shares the variable's storage.
    pub fn value(&self) -> &Tensor {
        &self.value
    }
}

/// A tensor of the state dict that no optimizer touches: BatchNorm's running statistics.
#[derive(Debug, Clone)]
pub struct Buffer {
    name: String,
    var: Var,
}

impl Buffer {
    /// Its name in the state dict.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The variable.
    pub fn var(&self) -> &Var {
        &self.var
    }
}

/// All tensors of a network, in the order in which its layers create them.
#[derive(Debug)]
pub struct Params {
    seed: u64,
    dtype: DType,
    device: Device,
    precision: MatmulPrecision,
    params: Vec<Param>,
    buffers: Vec<Buffer>,
}

impl Params {
    /// Without tensors; `seed` decides the initial values.
    pub fn new(seed: u64, dtype: DType, device: &Device) -> Self {
        let precision = MatmulPrecision::default();
        Self { seed, dtype, device: device.clone(), precision, params: Vec::new(), buffers: Vec::new() }
    }

    /// The same, for layers whose products have this precision.
    pub fn with_precision(self, precision: MatmulPrecision) -> Self {
        Self { precision, ..self }
    }

    /// The tensors of several networks together, with these prefixes before their names; they share their storage.
    ///
    /// # Errors
    /// There is no network.
    pub fn joined(all: &[&Self], prefix: impl Fn(usize) -> String) -> Result<Self> {
        let none = || Error::Weights("there is no network to join".to_owned());
        let first = all.first().ok_or_else(none)?;
        let mut joined = Self::new(first.seed, first.dtype, &first.device).with_precision(first.precision);
        for (number, own) in all.iter().enumerate() {
            let name = |name: &str| format!("{}{name}", prefix(number));
            for param in &own.params {
                let index = joined.params.len();
                joined.params.push(Param { name: name(&param.name), index, ..param.clone() });
            }
            let buffers = own.buffers.iter();
            joined.buffers.extend(buffers.map(|own| Buffer { name: name(&own.name), var: own.var.clone() }));
        }
        Ok(joined)
    }

    /// The precision of the layers' products.
    pub fn precision(&self) -> MatmulPrecision {
        self.precision
    }

    /// A new trained parameter. Numbers are drawn in f64, so that a seed gives the same values in every dtype and on
    /// every device.
    pub fn param(&mut self, name: impl Into<String>, shape: &[usize], init: &Init) -> Result<Param> {
        self.param_with_gain(name, shape, init, 1.0)
    }

    /// As [`Self::param`], with this [`Param::gain`].
    pub fn param_with_gain(
        &mut self,
        name: impl Into<String>,
        shape: &[usize],
        init: &Init,
        gain: f64,
    ) -> Result<Param> {
        let form = ParamShape::of(shape)?;
        self.drawn(name, shape, gain, |stream| init.draw(&form, stream))
    }

    /// As [`Self::param_with_gain`], with numbers that `draw` gives.
    pub(super) fn drawn(
        &mut self,
        name: impl Into<String>,
        shape: &[usize],
        gain: f64,
        draw: impl FnOnce(&mut Stream) -> Result<Vec<f64>>,
    ) -> Result<Param> {
        self.require_room(shape)?;
        let index = self.params.len();
        let mut stream = Stream::new(self.seed, Purpose::Init, index as u64);
        let values = draw(&mut stream)?;
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(self.dtype)?;
        let var = Var::from_tensor(&tensor.to_device(&self.device)?)?;
        let value = var.as_detached_tensor();
        let param = Param { name: name.into(), index, var, value, gain };
        self.params.push(param.clone());
        Ok(param)
    }

    /// Checks that the network fits in memory before it is initialised.
    fn require_room(&self, shape: &[usize]) -> Result<()> {
        let count = shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
        match count.and_then(|count| count.checked_add(self.count())) {
            Some(count) if count <= MOST_NUMBERS => Ok(()),
            _ => Err(Error::Config(format!(
                "a parameter of shape {shape:?} makes the network larger than {MOST_NUMBERS} numbers; choose smaller widths"
            ))),
        }
    }

    /// A new buffer.
    pub fn buffer(&mut self, name: impl Into<String>, value: &Tensor) -> Result<Buffer> {
        let value = if value.dtype().is_float() { value.to_dtype(self.dtype)? } else { value.clone() };
        let buffer = Buffer { name: name.into(), var: Var::from_tensor(&value.to_device(&self.device)?)? };
        self.buffers.push(buffer.clone());
        Ok(buffer)
    }

    /// The parameters that are trained.
    pub fn trainable(&self) -> &[Param] {
        &self.params
    }

    /// The dtype of the parameters.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The device of the parameters.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The number of trained values.
    pub fn count(&self) -> usize {
        self.params.iter().map(|param| param.value.elem_count()).sum()
    }

    /// The state dict: every tensor by its name, sharing storage with the network.
    pub fn state(&self) -> Vec<(&str, Tensor)> {
        let params = self.params.iter().map(|param| (param.name(), param.value.clone()));
        let buffers = self.buffers.iter().map(|buffer| (buffer.name(), buffer.var.as_detached_tensor()));
        params.chain(buffers).collect()
    }

    /// Sets BatchNorm's counters to 0.
    pub fn reset_counters(&self) -> Result<()> {
        let counters = self.buffers.iter().filter(|buffer| !buffer.var.dtype().is_float());
        for counter in counters {
            counter.var.set(&counter.var.zeros_like()?)?;
        }
        Ok(())
    }

    /// The buffers' values, sharing their storage.
    pub fn buffers(&self) -> Vec<Tensor> {
        self.buffers.iter().map(|buffer| buffer.var.as_detached_tensor()).collect()
    }

    /// A copy of the buffers' values.
    pub fn copy_buffers(&self) -> Result<Vec<Tensor>> {
        Ok(self.buffers.iter().map(|buffer| buffer.var.copy()).collect::<Result<_, _>>()?)
    }

    /// Restores the values that [`Self::copy_buffers`] copied.
    pub fn restore_buffers(&self, values: &[Tensor]) -> Result<()> {
        for (buffer, value) in self.buffers.iter().zip(values) {
            buffer.var.set(value)?;
        }
        Ok(())
    }

    /// A copy of the state dict that later updates do not change.
    pub fn copy(&self) -> Result<BTreeMap<String, Tensor>> {
        self.state().into_iter().map(|(name, tensor)| Ok((name.to_owned(), tensor.copy()?))).collect()
    }
}
