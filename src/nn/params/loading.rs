//! Loading a state dict into a network.

use std::collections::BTreeMap;

use candle_core::{Tensor, Var};

use super::Params;
use crate::error::{Error, Result};
use crate::names::first_few_by;

impl Params {
    /// Loads a state dict, all of it or nothing. Floats are converted to the network's dtype; a counter such as
    /// `num_batches_tracked` may be missing, as torch allows, and is then 0.
    ///
    /// # Errors
    /// Every name that is missing or not known, every shape and type that differs.
    pub fn load(&self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.set(self.fit(state, false)?)
    }

    /// Loads a part of a state dict as [`Self::load`] does: a tensor that is missing stays as it is.
    pub fn load_part(&self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.set(self.fit(state, true)?)
    }

    /// Checks a state dict as [`Self::load`] does, and loads nothing.
    pub fn check(&self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.fit(state, false).map(|_| ())
    }

    /// Checks a part of a state dict as [`Self::load_part`] does, and loads nothing.
    pub fn check_part(&self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.fit(state, true).map(|_| ())
    }

    fn set(&self, values: Vec<(&Var, Tensor)>) -> Result<()> {
        for (var, tensor) in values {
            // Copied, as the state may share storage with the network; one at a time, for the memory.
            var.set(&tensor.to_dtype(var.dtype())?.to_device(&self.device)?.copy()?)?;
        }
        Ok(())
    }

    /// The value of each tensor in a state dict, or in a part of one.
    fn fit(&self, state: &BTreeMap<String, Tensor>, is_part: bool) -> Result<Vec<(&Var, Tensor)>> {
        let mut problems = Vec::new();
        let mut changes = Vec::new();
        let params = self.params.iter().map(|param| (param.name(), param.var()));
        let own: Vec<(&str, &Var)> = params.chain(self.buffers.iter().map(|b| (b.name(), b.var()))).collect();
        for (name, var) in &own {
            let counter = !var.dtype().is_float();
            let Some(tensor) = state.get(*name) else {
                if counter && !is_part {
                    changes.push((*var, var.zeros_like()?));
                } else if !is_part {
                    problems.push(format!("`{name}` {:?} is missing in the file", var.dims()));
                }
                continue;
            };
            if !counter && !tensor.dtype().is_float() {
                let dtype = tensor.dtype().as_str();
                problems
                    .push(format!("`{name}` holds {dtype} in the file, and is no whole number in the model"));
            } else if tensor.dims() == var.dims() || (counter && tensor.elem_count() == 1) {
                changes.push((*var, tensor.reshape(var.shape())?));
            } else {
                problems.push(format!(
                    "`{name}` is {:?} in the file, {:?} in the model",
                    tensor.dims(),
                    var.dims()
                ));
            }
        }
        for name in state.keys().filter(|name| own.iter().all(|(own, _)| own != name)) {
            problems.push(format!("`{}` is not in the model", name.escape_debug()));
        }
        if problems.is_empty() { Ok(changes) } else { Err(Error::Weights(first_few_by(problems, "; "))) }
    }
}
