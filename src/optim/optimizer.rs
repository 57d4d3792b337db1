//! The driver: state and the loop over the parameters, for every rule.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};

use super::{Clip, Clipping, Common, Rule, Slot, Step};
use crate::error::{Error, Result};
use crate::kernels::update::Prelude;
use crate::nn::{Grads, Param, Params};

/// A rule at work on the parameters of a network.
#[derive(Debug)]
pub struct Optimizer {
    rule: Rule,
    slots: Vec<Slot>,
    params: Vec<Param>,
    /// For each parameter its slots.
    state: Vec<Vec<Var>>,
    /// The rule's numbers, in [`UpdateRule::numbers`]' order.
    numbers: [f64; 2],
    steps: u64,
}

impl Optimizer {
    /// Starts `rule` on all trainable parameters.
    pub fn new(rule: Rule, params: &Params) -> Result<Self> {
        let slots = rule.slots();
        let start = |param: &Param| -> Result<Vec<Var>> {
            let fill =
                |slot: &Slot| Var::from_tensor(&param.value().zeros_like()?.affine(0.0, slot.initial)?);
            Ok(slots.iter().map(fill).collect::<Result<_, _>>()?)
        };
        let params = params.trainable().to_vec();
        let state = params.iter().map(start).collect::<Result<_>>()?;
        let mut numbers = [0.0; 2];
        numbers.iter_mut().zip(rule.numbers()).for_each(|(number, slot)| *number = slot.initial);
        Ok(Self { rule, slots, params, state, numbers, steps: 0 })
    }

    /// The rule with its hyperparameters.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// How many updates were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// What clipping does to these gradients.
    pub fn clipping(&self, grads: &Grads, clip: Clip) -> Result<Clipping> {
        clip.of(&self.gradients(grads)?)
    }

    fn gradients<'a>(&self, grads: &'a Grads) -> Result<Vec<&'a Tensor>> {
        self.params.iter().map(|param| grads.require(param)).collect()
    }

    /// Clips the gradients and updates every parameter, with the learning rate `lr` and, where a schedule moves it, the
    /// `momentum`.
    pub fn step(&mut self, grads: &Grads, clipping: Clipping, lr: f64, momentum: Option<f64>) -> Result<()> {
        let gradients = self.gradients(grads)?;
        let Common { weight_decay, decoupled, maximize, .. } = self.rule.common();
        let prelude = Prelude {
            scale: if maximize { -clipping.scale } else { clipping.scale },
            clamp: clipping.clamp,
            coupled: if decoupled { 0.0 } else { weight_decay },
            keep: if decoupled { 1.0 - lr * weight_decay } else { 1.0 },
        };
        let mut at =
            Step { t: self.steps + 1, lr, momentum, numbers_before: self.numbers, numbers: self.numbers };
        self.rule.advance(&mut self.numbers, at);
        at.numbers = self.numbers;
        for ((param, grad), slots) in self.params.iter().zip(gradients).zip(&self.state) {
            self.rule.update(param.var(), grad, slots, &prelude, at)?;
        }
        self.steps += 1;
        Ok(())
    }

    /// The state by torch's names, `PARAMETER.SLOT`, sharing storage with the optimizer. torch's `step` is a
    /// float32 scalar.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let mut state = Vec::new();
        for (param, slots) in self.params.iter().zip(&self.state) {
            for (slot, var) in self.slots.iter().zip(slots) {
                state.push((format!("{}.{}", param.name(), slot.name), var.as_detached_tensor()));
            }
            if self.rule.has_step() {
                #[allow(
                    clippy::cast_precision_loss,
                    clippy::cast_possible_truncation,
                    reason = "as torch keeps it"
                )]
                let step = Tensor::new(self.steps as f32, &Device::Cpu)?;
                state.push((format!("{}.step", param.name()), step));
            }
            for (slot, number) in self.rule.numbers().iter().zip(self.numbers) {
                state.push((format!("{}.{}", param.name(), slot.name), Tensor::new(number, &Device::Cpu)?));
            }
        }
        Ok(state)
    }

    /// Takes over a state and the number of updates that led to it, all of it or nothing.
    pub fn load(&mut self, state: &BTreeMap<String, Tensor>, steps: u64) -> Result<()> {
        let mut problems = Vec::new();
        let mut changes = Vec::new();
        for (param, slots) in self.params.iter().zip(&self.state) {
            for (slot, var) in self.slots.iter().zip(slots) {
                let name = format!("{}.{}", param.name(), slot.name);
                match state.get(&name) {
                    Some(tensor) if tensor.dims() == var.dims() => changes.push((var, tensor)),
                    Some(tensor) => {
                        problems.push(format!("`{name}` is {:?}, not {:?}", tensor.dims(), var.dims()));
                    }
                    None => problems.push(format!("`{name}` is missing")),
                }
            }
        }
        if !problems.is_empty() {
            return Err(Error::Weights(format!("the optimizer state does not fit: {}", problems.join("; "))));
        }
        let convert = |(var, tensor): (&Var, &Tensor)| -> Result<Tensor> {
            Ok(tensor.to_dtype(var.dtype())?.to_device(var.device())?.copy()?)
        };
        let converted: Vec<Tensor> = changes.iter().copied().map(convert).collect::<Result<_>>()?;
        for ((var, _), tensor) in changes.into_iter().zip(converted) {
            var.set(&tensor)?;
        }
        if let Some(param) = self.params.first() {
            for (slot, number) in self.rule.numbers().iter().zip(&mut self.numbers) {
                let name = format!("{}.{}", param.name(), slot.name);
                let saved = state.get(&name).ok_or_else(|| {
                    Error::Weights(format!("the optimizer state does not fit: `{name}` is missing"))
                })?;
                *number = saved.to_dtype(DType::F64)?.to_scalar()?;
            }
        }
        self.steps = steps;
        Ok(())
    }
}
