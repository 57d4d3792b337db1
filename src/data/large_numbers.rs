//! Arrays of large numbers that are trained on as they are.

use std::path::Path;

use candle_core::{DType, Tensor};

use super::{Normalize, Request, Rows, Task};
use crate::error::Result;

/// Numbers that are looked at at a time.
const NUMBERS: usize = 1 << 16;
/// Numbers from which on training without normalisation is doubtful.
const LARGE: f64 = 1000.0;

/// Warns of large numbers that are trained on as they are.
pub(super) fn hint(path: &Path, train: &Rows, request: &Request<'_>) -> Result<()> {
    let path = path.display();
    if train.xs.dtype() != DType::U8 && request.plan.normalize == Normalize::None {
        let most = largest(&train.xs)?;
        if most >= LARGE {
            tracing::warn!(
                "{path}: `data.normalize` is \"none\", and large numbers train badly: `x_train` (up to {most:.0}); set it to \
                 \"standard\""
            );
        }
    }
    if request.task == Task::Values {
        let most = largest(&train.ys)?;
        if most >= LARGE {
            tracing::warn!(
                "{path}: large numbers train badly, and targets of arrays are taken as they are: `y_train` (up to {most:.0}); \
                 scale them, to a standard deviation of 1 for instance"
            );
        }
    }
    Ok(())
}

/// The largest absolute value.
fn largest(numbers: &Tensor) -> Result<f64> {
    let (count, mut most) = (numbers.elem_count(), 0f64);
    let numbers = numbers.reshape(count)?;
    for first in (0..count).step_by(NUMBERS) {
        let chunk = numbers.narrow(0, first, NUMBERS.min(count - first))?;
        most = most.max(chunk.abs()?.max_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?);
    }
    Ok(most)
}
