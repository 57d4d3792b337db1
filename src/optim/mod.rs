//! Optimizers: one file each for their arithmetic; what they share is here and in [`clip`].
//!
//! A rule is implemented on its hyperparameters. The [`Optimizer`] keeps the state, updates every parameter, and applies
//! what all rules share: weight decay, `maximize`, clipping. Names, options, defaults and state names are torch's,
//! <https://docs.pytorch.org/docs/stable/optim.html>.

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
pub use common::{Common, Slot, SlotShape, StepContext};
use common::{check_betas, check_non_negative};
pub use groups::{Group, Grouped};
pub use optimizer::{Evaluate, Optimizer, OptimizerPosition};

/// The options of an optimizer that goes parameter by parameter, and the state that they ask for.
pub trait Hyperparameters {
    /// The options that all optimizers share.
    fn common(&self) -> Common;

    /// Validates the options; the error names the key. The shared options are validated elsewhere.
    fn check(&self) -> Result<(), KeyError>;

    /// The option that a schedule cycles: `momentum`, or the first of `betas`; none where the optimizer has neither.
    fn momentum_mut(&mut self) -> Option<&mut f64> {
        None
    }

    /// The rule for a parameter of this shape, where this one does not fit.
    fn fallback_for(&self, _dims: &[usize]) -> Option<Rule> {
        None
    }

    /// The state of a parameter of this shape, by torch's names.
    fn slots(&self, dims: &[usize]) -> Vec<Slot>;

    /// Whether torch keeps a `step` beside the slots.
    fn has_step(&self) -> bool {
        true
    }

    /// Further state by torch's names: scalars with the same value for every parameter. Two at most.
    fn numbers(&self) -> Vec<Slot> {
        Vec::new()
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

    /// The formulas that a GPU needs kernels of, as they are at this step for parameters with so many slots.
    fn recordings(&self, _at: StepContext, _slots: usize) -> Vec<Recording> {
        Vec::new()
    }

    /// Whether an update goes along a [`Self::direction`] that takes long to compute.
    fn has_direction(&self) -> bool {
        false
    }

    /// The direction of a parameter's update. Nothing is changed yet, and it is asked between the parts of the work whether
    /// to give up.
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

    /// As [`Self::update`], along what [`Self::direction`] gave.
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

    /// Updates a parameter and its slots in place. `transform` has what happens to the gradient before.
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

    /// The option that a schedule cycles: `momentum`, or the first of `betas`; none where the optimizer has neither.
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
