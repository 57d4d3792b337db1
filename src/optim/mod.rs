//! Optimizers: one file for the arithmetic of each; their common parts are here and in [`clip`].
//!
//! A rule is implemented on its hyperparameters. The [`Optimizer`] keeps the state, updates every parameter, and applies
//! weight decay, `maximize` and clipping for all rules alike. Names, options, defaults and state names are torch's,
//! <https://docs.pytorch.org/docs/stable/optim.html>.
//!
//! # State
//!
//! The state of a parameter is an array of slots, listed with their names by [`Hyperparameters::slots`], and not a struct of
//! each rule's own. One array serves every place that handles state without knowing the rule: its length is the const
//! parameter `S` of [`PerElement::apply`], for which the CPU's loop is compiled and the GPU's kernel is recorded, and its
//! names are those of the tensors in a checkpoint, `PARAMETER.SLOT`. The length depends on the options (`amsgrad` adds a
//! slot, sgd without momentum has none), as the fields of a struct could not. In a formula, constants name the places:
//! `slots[EXP_AVG]`.
//!
//! # Adding a rule
//!
//! One file with the options and the formula, its `mod` line and its line in [`Rule`]. The kernel for GPUs is generated from
//! the formula: `make rules` writes `kernels/cuda/rules.cuh`, and a test fails while that file is out of date. The golden
//! tests fail until the rule has a trajectory of its own (`scripts/golden.py`).

pub mod adadelta;
pub mod adafactor;
pub mod adagrad;
pub mod adam;
pub mod adamax;
pub mod adamw;
pub mod asgd;
pub mod clip;
mod closure;
mod common;
#[cfg(test)]
mod cuda_rules;
#[cfg(test)]
mod gpu_tests;
mod groups;
pub mod lamb;
pub mod lbfgs;
pub mod lion;
pub mod muon;
pub mod nadam;
mod optimizer;
pub mod radam;
pub mod rmsprop;
pub mod rprop;
pub mod schedule;
pub mod sgd;
mod strong_wolfe;

use candle_core::{Tensor, Var};

use crate::error::Result;
use crate::kernels::real::PerElement;
use crate::kernels::recorded::Recording;
use crate::kernels::update::{GradTransform, record, update};
use crate::registry;
use crate::registry::KeyError;

pub use clip::{Clip, Clipping};
pub use closure::{Closure, ClosureEnd, ClosureRule, ClosureState, LossAndGrad};
pub use common::{Common, Initial, Slot, SlotShape, StepContext};
use common::{check_betas, check_non_negative};
pub use groups::{Group, Grouped};
pub use optimizer::{Evaluate, Optimizer, OptimizerPosition};

/// The options of an optimizer that goes parameter by parameter, and the state that they ask for.
pub trait Hyperparameters {
    /// The options that all optimizers share.
    fn common(&self) -> Common;

    /// Validates the options; the error names the key. The shared options are validated elsewhere.
    fn check(&self) -> Result<(), KeyError>;

    /// The option that a schedule cycles: `momentum`, or the first of `betas`; `None` if the optimizer has neither.
    fn momentum_mut(&mut self) -> Option<&mut f64> {
        None
    }

    /// The rule for a parameter of this shape, where this one does not fit.
    fn fallback_for(&self, _dims: &[usize]) -> Option<Rule> {
        None
    }

    /// The state of a parameter of this shape, by torch's names.
    fn slots(&self, dims: &[usize]) -> Vec<Slot>;

    /// Whether a step is the learning rate times a function of gradients alone, so that parameters may have a
    /// [`Param::gain`](crate::nn::Param::gain).
    fn scales_with_lr(&self) -> bool {
        true
    }

    /// Whether torch keeps a `step` beside the slots.
    fn has_step(&self) -> bool {
        true
    }

    /// Further state by torch's names: scalars with the same value for every parameter. Two at most.
    fn numbers(&self) -> Vec<Slot> {
        Vec::new()
    }

    /// The numbers before the first update, which has the learning rate `lr`.
    fn initial_numbers(&self, lr: f64) -> [f64; 2] {
        let mut numbers = [0.0; 2];
        numbers.iter_mut().zip(self.numbers()).for_each(|(number, slot)| *number = slot.initial.at(lr));
        numbers
    }

    /// Advances the numbers by one step, before the parameters are updated.
    fn advance(&self, _numbers: &mut [f64], _at: StepContext) {}

    /// Whether the update is `p ← p - lr g` at all times: then the product that makes the gradient can make it.
    fn is_plain_descent(&self) -> bool {
        false
    }
}

/// An optimizer that updates each element from its own weight, gradient and state. The CPU's loop, the reference implementation and
/// the kernel for GPUs come from its formula.
pub trait ElementwiseRule: Hyperparameters {
    /// The arithmetic of one step.
    type Formula: PerElement;

    /// The arithmetic of this step.
    fn formula(&self, at: StepContext) -> Self::Formula;
}

/// The update of one parameter.
pub trait UpdateRule: Hyperparameters {
    /// Whether each element is updated independently of the others.
    fn is_per_element(&self) -> bool {
        false
    }

    /// The formulas that a GPU needs kernels of, at this step, for parameters with this number of slots.
    fn recordings(&self, _at: StepContext, _slots: usize) -> Vec<Recording> {
        Vec::new()
    }

    /// Whether an update goes along a [`Self::direction`] that takes long to compute.
    fn has_direction(&self) -> bool {
        false
    }

    /// The direction of a parameter's update. Changes nothing, and calls `gives_up` between the parts of the work.
    ///
    /// # Errors
    /// [`crate::error::Error::Interrupted`].
    fn direction(
        &self,
        _param: &Var,
        grad: &Tensor,
        _slots: &[Var],
        _transform: &GradTransform<'_>,
        _gives_up: &dyn Fn() -> bool,
    ) -> Result<Tensor> {
        Ok(grad.clone())
    }

    /// As [`Self::update`], along a direction computed by [`Self::direction`].
    fn update_along(
        &self,
        _direction: &Tensor,
        param: &Var,
        grad: &Tensor,
        slots: &[Var],
        transform: &GradTransform<'_>,
        at: StepContext,
    ) -> Result<()> {
        self.update(param, grad, slots, transform, at)
    }

    /// Updates a parameter and its slots in place, after `transform` was applied to the gradient.
    fn update(
        &self,
        param: &Var,
        grad: &Tensor,
        slots: &[Var],
        transform: &GradTransform<'_>,
        at: StepContext,
    ) -> Result<()>;
}

impl<E: ElementwiseRule> UpdateRule for E {
    fn is_per_element(&self) -> bool {
        true
    }

    fn recordings(&self, at: StepContext, slots: usize) -> Vec<Recording> {
        record(&self.formula(at), slots).into_iter().collect()
    }

    fn update(
        &self,
        param: &Var,
        grad: &Tensor,
        slots: &[Var],
        transform: &GradTransform<'_>,
        at: StepContext,
    ) -> Result<()> {
        Ok(update(&self.formula(at), transform, param, grad, slots)?)
    }
}

/// An optimizer that `[optimizer]` can name.
pub trait Optimize {
    /// The options that all optimizers share.
    fn common(&self) -> Common;

    /// Validates the options; the error names the key. The shared options are validated elsewhere.
    fn check(&self) -> Result<(), KeyError>;

    /// The option that a schedule cycles: `momentum`, or the first of `betas`; `None` if the optimizer has neither.
    fn momentum_mut(&mut self) -> Option<&mut f64> {
        None
    }

    /// The kind of update it makes.
    fn update_kind(&self) -> UpdateKind<'_>;
}

/// The two kinds of update.
#[derive(Clone, Copy)]
pub enum UpdateKind<'a> {
    /// Each parameter from its own gradient.
    Parameter(&'a dyn UpdateRule),
    /// All parameters at once, with further evaluations of the loss.
    Closure(&'a dyn ClosureRule),
}

impl std::fmt::Debug for UpdateKind<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Parameter(_) => "Parameter",
            Self::Closure(_) => "Closure",
        })
    }
}

impl<U: UpdateRule> Optimize for U {
    fn common(&self) -> Common {
        Hyperparameters::common(self)
    }

    fn check(&self) -> Result<(), KeyError> {
        Hyperparameters::check(self)
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Hyperparameters::momentum_mut(self)
    }

    fn update_kind(&self) -> UpdateKind<'_> {
        UpdateKind::Parameter(self)
    }
}

registry! {
    /// The known optimizers, by `optimizer.name`.
    pub enum Rule: "optimizer", Optimize {
        "sgd" => Sgd(sgd::Sgd),
        "adam" => Adam(adam::Adam),
        "adamw" => AdamW(adamw::AdamW),
        "rmsprop" => RmsProp(rmsprop::RmsProp),
        "adagrad" => Adagrad(adagrad::Adagrad),
        "adadelta" => Adadelta(adadelta::Adadelta),
        "adamax" => Adamax(adamax::Adamax),
        "nadam" => NAdam(nadam::NAdam),
        "radam" => RAdam(radam::RAdam),
        "asgd" => Asgd(asgd::Asgd),
        "rprop" => Rprop(rprop::Rprop),
        "lbfgs" => Lbfgs(lbfgs::Lbfgs),
        "muon" => Muon(muon::Muon),
        "adafactor" => Adafactor(adafactor::Adafactor),
        "lion" => Lion(lion::Lion),
        "lamb" => Lamb(lamb::Lamb),
    }
}

impl Rule {
    /// Validates the options; the error names the key.
    pub fn validate(&self) -> Result<(), KeyError> {
        let Common { lr, weight_decay, .. } = self.common();
        check_non_negative(&[("lr", lr), ("weight_decay", weight_decay)])?;
        self.check()
    }
}
