//! Parts of a run that torch does not have.

use std::fmt;

/// What torch does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::export) enum Missing {
    /// An optimizer of this name.
    Optimizer(String),
    /// Groups of other optimizers.
    Groups,
    /// Weights of classes that are computed from the rows.
    ClassWeight,
    /// A loss of this name.
    Loss(String),
    /// A learning rate for each tensor.
    Parametrization,
    /// A schedule of what is no learning rate, by its key.
    Declining(&'static str),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Optimizer(name) => write!(f, "torch has no {name}"),
            Self::Groups => write!(f, "torch has no optimizer with groups of other optimizers"),
            Self::ClassWeight => {
                write!(f, "torch has no `class_weight`; give `weight` the weights that the run computed")
            }
            Self::Loss(name) => write!(f, "torch has no loss `{name}`"),
            Self::Declining(key) => write!(f, "torch has no schedule of `{key}`"),
            Self::Parametrization => write!(f, "torch has no parametrization \"ntk\""),
        }
    }
}
