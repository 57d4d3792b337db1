//! An optimizer's state, by torch's names.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{DType, Device, Tensor, Var};

use super::{Applied, Optimizer, Slotted, by_parameter};
use crate::error::{Error, Result};
use crate::names::first_few_by;
use crate::optim::ClosureState;
use crate::optim::lbfgs::ClosureStateError;

/// A state that matches the parameters.
struct Fit {
    slots: Vec<(Var, Tensor)>,
    numbers: Vec<[f64; 2]>,
    history: ClosureState,
}

impl Optimizer {
    /// The state by torch's names, `PARAMETER.SLOT`, sharing storage with the optimizer. torch's `step` is a
    /// float32 scalar.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let mut state = Vec::new();
        for Slotted { param, rule, slots } in &self.params {
            let named = |name: &str| format!("{}.{name}", param.name());
            state.extend(slots.iter().map(|(slot, var)| (named(slot.name), var.as_detached_tensor())));
            let Applied { rule, numbers, .. } = &self.rules[*rule];
            let Some(rule) = by_parameter(rule) else { continue };
            if rule.has_step() {
                #[allow(
                    clippy::cast_precision_loss,
                    clippy::cast_possible_truncation,
                    reason = "as torch keeps it"
                )]
                let step = Tensor::new(self.steps as f32, &Device::Cpu)?;
                state.push((named("step"), step));
            }
            for (slot, number) in rule.numbers().iter().zip(numbers) {
                state.push((named(slot.name), Tensor::new(*number, &Device::Cpu)?));
            }
        }
        if self.needs_closure()
            && let Some(first) = self.params.first()
        {
            // torch keeps the state that all parameters share at the first one.
            let named = |name: &str| format!("{}.{name}", first.param.name());
            state.extend(self.history.tensors()?.into_iter().map(|(name, tensor)| (named(name), tensor)));
        }
        Ok(state)
    }

    /// Loads a state and the number of updates that led to it; on an error nothing changes.
    ///
    /// # Errors
    /// Every name that is missing or unknown, and every shape or dtype that differs.
    pub fn load(&mut self, state: &BTreeMap<String, Tensor>, steps: u64) -> Result<()> {
        let Fit { slots, numbers, history } = self.fit(state)?;
        for (var, tensor) in slots {
            var.set(&tensor.to_dtype(var.dtype())?.to_device(var.device())?.copy()?)?;
        }
        for (applied, numbers) in self.rules.iter_mut().zip(numbers) {
            applied.numbers = numbers;
        }
        self.history = history;
        self.steps = steps;
        Ok(())
    }

    /// Validates a state as [`Self::load`] does, without loading it.
    pub fn check(&self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.fit(state).map(|_| ())
    }

    /// Matches a state to the parameters.
    fn fit(&self, state: &BTreeMap<String, Tensor>) -> Result<Fit> {
        let mut problems = Vec::new();
        let mut changes = Vec::new();
        for Slotted { param, slots, .. } in &self.params {
            for (slot, var) in slots {
                let name = format!("{}.{}", param.name(), slot.name);
                match state.get(&name) {
                    Some(tensor) if tensor.dims() != var.dims() => {
                        problems.push(format!("`{name}` is {:?}, not {:?}", tensor.dims(), var.dims()));
                    }
                    Some(tensor) if !tensor.dtype().is_float() => {
                        problems.push(format!("`{name}` holds {}", tensor.dtype().as_str()));
                    }
                    Some(tensor) => changes.push((var.clone(), tensor.clone())),
                    None => problems.push(format!("`{name}` is missing")),
                }
            }
        }
        let numbers = self.saved_numbers(state, &mut problems)?;
        let history = self.saved_history(state, &mut problems)?;
        let known: BTreeSet<String> = self.state()?.into_iter().map(|(name, _)| name).collect();
        // A closure rule has no state of a kind before its first step.
        let strange = state.keys().filter(|name| !self.needs_closure() && !known.contains(*name));
        problems.extend(strange.map(|name| format!("`{}` is not known", name.escape_debug())));
        if !problems.is_empty() {
            return Err(Error::Weights(format!(
                "the optimizer state does not fit: {}",
                first_few_by(problems, "; ")
            )));
        }
        Ok(Fit { slots: changes, numbers, history })
    }

    /// Each rule's numbers, which every parameter of it has alike.
    fn saved_numbers(
        &self,
        state: &BTreeMap<String, Tensor>,
        problems: &mut Vec<String>,
    ) -> Result<Vec<[f64; 2]>> {
        let mut all = Vec::new();
        for (index, Applied { rule, numbers, .. }) in self.rules.iter().enumerate() {
            let mut numbers = *numbers;
            let first = self.params.iter().find(|slotted| slotted.rule == index);
            let (Some(first), Some(rule)) = (first, by_parameter(rule)) else { continue };
            for (slot, number) in rule.numbers().iter().zip(&mut numbers) {
                let name = format!("{}.{}", first.param.name(), slot.name);
                match state.get(&name) {
                    Some(saved) => *number = saved.to_dtype(DType::F64)?.to_scalar()?,
                    None => problems.push(format!("`{name}` is missing")),
                }
            }
            all.push(numbers);
        }
        Ok(all)
    }

    fn saved_history(
        &self,
        state: &BTreeMap<String, Tensor>,
        problems: &mut Vec<String>,
    ) -> Result<ClosureState> {
        let Some(first) = self.params.first().filter(|_| self.needs_closure()) else {
            return Ok(ClosureState::default());
        };
        let named = |name: &str| format!("{}.{name}", first.param.name());
        match ClosureState::from_tensors(|name| state.get(&named(name)).cloned()) {
            Ok(history) => Ok(history),
            Err(ClosureStateError::Missing(name)) => {
                problems.push(format!("`{}` is missing", named(name)));
                Ok(ClosureState::default())
            }
            Err(ClosureStateError::Tensor(error)) => Err(error.into()),
        }
    }
}
