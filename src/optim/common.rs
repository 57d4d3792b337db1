//! The types that all rules share: common options, the state of a parameter, and the step that an update makes.

use crate::registry::KeyError;

/// Options that all optimizers share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Common {
    /// The learning rate.
    pub lr: f64,
    /// The weight decay.
    pub weight_decay: f64,
    /// Whether the decay applies to the weights (AdamW) instead of the gradient.
    pub decoupled: bool,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

/// A tensor of a parameter's state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    /// Its name in torch's state dict.
    pub name: &'static str,
    /// The initial value of every element.
    pub initial: Initial,
    /// Its shape.
    pub shape: SlotShape,
}

/// The initial value of a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// This number.
    Value(f64),
    /// The learning rate of the first update: torch makes the state in the first `step()`, for which the schedule has set
    /// the learning rate already.
    Lr,
}

impl Initial {
    /// The number, where the first update has the learning rate `lr`.
    pub const fn at(self, lr: f64) -> f64 {
        match self {
            Self::Value(value) => value,
            Self::Lr => lr,
        }
    }
}

/// The shape of a slot, relative to its parameter's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotShape {
    /// The parameter's shape.
    Like,
    /// One element per row: (R, 1).
    Rows,
    /// One element per column: (1, C).
    Cols,
}

impl Slot {
    /// A slot that starts at zero.
    pub const fn zero(name: &'static str) -> Self {
        Self::new(name, 0.0)
    }

    /// A slot of the parameter's shape that starts at `initial`.
    pub const fn new(name: &'static str, initial: f64) -> Self {
        Self { name, initial: Initial::Value(initial), shape: SlotShape::Like }
    }

    /// A slot of the parameter's shape that starts at the learning rate of the first update.
    pub const fn lr(name: &'static str) -> Self {
        Self { name, initial: Initial::Lr, shape: SlotShape::Like }
    }

    /// The slot's shape for a parameter of shape `dims`.
    pub(super) fn dims(&self, dims: &[usize]) -> Vec<usize> {
        match (self.shape, dims) {
            (SlotShape::Rows, [matrices @ .., rows, _]) => [matrices, &[*rows, 1]].concat(),
            (SlotShape::Cols, [matrices @ .., _, cols]) => [matrices, &[1, *cols]].concat(),
            _ => dims.to_vec(),
        }
    }
}

/// The step that an update makes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepContext {
    /// The number of this update, from 1.
    pub t: u64,
    /// The learning rate now.
    pub lr: f64,
    /// The rule's numbers as the last step left them.
    pub numbers_before: [f64; 2],
    /// The rule's numbers at this step.
    pub numbers: [f64; 2],
}

impl StepContext {
    /// `beta^t`
    pub fn power(&self, beta: f64) -> f64 {
        beta.powf(self.count())
    }

    /// The number of this update as a float.
    #[allow(clippy::cast_precision_loss, reason = "2^53 updates are not reached")]
    pub fn count(&self) -> f64 {
        self.t as f64
    }
}

/// Requires finite values, 0 or more.
pub(super) fn check_non_negative(options: &[(&str, f64)]) -> Result<(), KeyError> {
    match options.iter().find(|(_, value)| !value.is_finite() || *value < 0.0) {
        Some((key, value)) => {
            Err(KeyError::new(*key, format!("is {value}; it must be a finite number, 0 or more")))
        }
        None => Ok(()),
    }
}

/// Requires values in [0, 1).
pub(super) fn check_betas(betas: &[(&str, f64)]) -> Result<(), KeyError> {
    match betas.iter().find(|(_, beta)| !(0.0..1.0).contains(beta)) {
        Some((key, beta)) => {
            Err(KeyError::new(*key, format!("is {beta}; it must be at least 0 and less than 1")))
        }
        None => Ok(()),
    }
}
