//! The targets and the weights of an `.npz` file, checked.

use std::path::Path;

use candle_core::{DType, Tensor};

use crate::data::Task;
use crate::data::npy::NUMBER_ANEW;
use crate::data::targets::unknown_class;
use crate::error::{Error, Result};
use crate::names::{counted, numbered_row};

/// Numbers that are checked at a time: a copy of all of them could be too much.
const NUMBERS: usize = 1 << 16;

/// The weights of the rows of `xs`, (N).
pub(super) fn weights_of(path: &Path, name: &str, weights: &Tensor, xs: &Tensor) -> Result<Vec<f64>> {
    let rows = xs.dims()[0];
    if weights.elem_count() != rows || weights.dims()[0] != rows {
        let problem =
            format!("`{name}` is {:?} for {rows} rows; weights are one number a row, (N)", weights.dims());
        return Err(Error::data(path, problem));
    }
    let weights = weights.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    if let Some(row) = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
        let what = if weights[row] < 0.0 { "negative" } else { "not finite" };
        let problem = format!(
            "`{name}` has {} in {}, which is {what}; a weight is 0 or more",
            weights[row],
            numbered_row(row)
        );
        return Err(Error::data(path, problem));
    }
    if weights.iter().all(|weight| *weight == 0.0) {
        return Err(Error::data(path, format!("all weights of `{name}` are 0; no row counts")));
    }
    Ok(weights)
}

/// Targets as numbers, (N, K).
pub(super) fn values(ys: &Tensor) -> Result<Tensor> {
    let ys = ys.to_dtype(DType::F64)?;
    let rows = ys.dims()[0];
    Ok(ys.reshape((rows, ()))?)
}

/// Targets as class indices, (N).
pub(super) fn class_numbers(path: &Path, name: &str, ys: &Tensor, ignored: i64) -> Result<Tensor> {
    let rows = ys.dims()[0];
    if ys.elem_count() != rows {
        let problem = format!("`{name}` is {:?}; classes are one number a row, (N)", ys.dims());
        return Err(Error::data(path, problem));
    }
    let ys = ys.reshape(rows)?;
    let labels = ys.to_dtype(DType::I64)?;
    for first in (0..rows).step_by(NUMBERS) {
        let piece = |of: &Tensor| of.narrow(0, first, NUMBERS.min(rows - first));
        let numbers = piece(&labels)?.to_vec1::<i64>()?;
        let given = piece(&ys)?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let whole = piece(&labels)?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        #[allow(clippy::float_cmp, reason = "a class number is a whole number exactly")]
        let fraction = whole.iter().zip(&given).position(|(whole, given)| whole != given);
        let problem = match (fraction, numbers.iter().position(|label| *label < 0 && *label != ignored)) {
            (Some(at), _) => format!(
                "{} in {}, which is not a class index; for numeric targets use the loss `mse`",
                given[at],
                numbered_row(first + at)
            ),
            (None, Some(at)) => {
                let row = numbered_row(first + at);
                format!(
                    "the class {} in {row}; classes count from 0: {NUMBER_ANEW} makes them so",
                    numbers[at]
                )
            }
            (None, None) => continue,
        };
        return Err(Error::data(path, format!("`{name}` has {problem}")));
    }
    Ok(labels)
}

/// Requires that targets fit a run of so many classes or values: class indices (N) below them, or as many numbers a row.
pub(super) fn require_known(path: &Path, name: &str, ys: &Tensor, outputs: usize, task: Task) -> Result<()> {
    if let [_, width] = *ys.dims() {
        if width == outputs {
            return Ok(());
        }
        let numbers = counted(width, "number");
        let problem = format!("`{name}` has {numbers} a row, and the run was trained on {outputs}");
        return Err(Error::data(path, problem));
    }
    let is_ignored = |label| matches!(task, Task::Classes { ignored, .. } if ignored == label);
    let is_known = |label: &i64| is_ignored(*label) || usize::try_from(*label).is_ok_and(|own| own < outputs);
    let labels = ys.to_vec1::<i64>()?;
    let Some(row) = labels.iter().position(|label| !is_known(label)) else { return Ok(()) };
    let unknown = unknown_class(labels[row], outputs);
    let problem = format!("`{name}` has the class {} in {}; {unknown}", labels[row], numbered_row(row));
    Err(Error::data(path, problem))
}

pub(super) fn require_finite(path: &Path, name: &str, values: &Tensor) -> Result<()> {
    let count = values.dims()[0];
    let values = values.reshape((count, ()))?;
    let width = values.dims()[1].max(1);
    let rows = (NUMBERS / width).max(1);
    for first in (0..count).step_by(rows) {
        let piece = values.narrow(0, first, rows.min(count - first))?;
        let numbers = piece.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
            let row = numbered_row(first + at / width);
            let problem = format!("`{name}` has {} in {row}; fill or drop such rows first", numbers[at]);
            return Err(Error::data(path, problem));
        }
    }
    Ok(())
}
