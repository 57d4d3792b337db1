//! The task of a loss, which decides the kind of targets.

use candle_core::{DType, Tensor};

use crate::error::Result;

/// The kind of a loss's predictions and targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Class indices from 0; rows with the target `ignored` have no effect.
    Classes {
        /// torch's `ignore_index`.
        ignored: i64,
        /// Whether targets may also be class probabilities (N, C).
        probabilities: bool,
    },
    /// Real numbers (regression).
    Values,
    /// Independent binary labels, as numbers from 0 to 1.
    Labels,
}

impl Task {
    /// Whether the targets are classes.
    pub fn classes(self) -> bool {
        matches!(self, Self::Classes { .. })
    }
}

/// The class of each target (N); of probabilities (N, C) the most probable class.
pub(crate) fn class_of(ys: &Tensor) -> Result<Vec<i64>> {
    if ys.rank() == 1 {
        return Ok(ys.to_vec1()?);
    }
    Ok(ys.argmax(candle_core::D::Minus1)?.to_dtype(DType::I64)?.to_vec1()?)
}
