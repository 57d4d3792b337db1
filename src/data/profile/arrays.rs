//! The arrays of an `.npz` file.

use std::path::Path;

use candle_core::DType;

use crate::data::archive::Arrays;
use crate::data::memory::MemoryLimit;
use crate::data::npy::Integers;
use crate::error::{Error, Result};

/// More different whole numbers than this are values.
const MOST_CLASSES: usize = 100;

/// The targets of arrays.
#[derive(Debug, Clone, PartialEq)]
pub enum ArrayTargets {
    /// Classes from 0, each with its rows.
    Classes(Vec<u64>),
    /// Classes as rows (C) of zeros with a single 1, as Keras' `to_categorical` makes them: the rows of each class.
    OneHot(Vec<u64>),
    /// One number a row, of -1 and 1 alone.
    Signs,
    /// Numbers, so many a row.
    Values(usize),
}

/// An `.npz` file that was looked at.
#[derive(Debug, Clone)]
pub struct ArraysProfile {
    /// The shape of a row: `[F]` or `[T, F]`.
    pub row: Vec<usize>,
    /// The rows to train on.
    pub rows: usize,
    /// Whether the inputs are bytes, such as pixels.
    pub are_bytes: bool,
    /// The targets.
    pub targets: ArrayTargets,
    /// Whether there are rows to validate on.
    pub has_validation: bool,
    /// Whether there are rows to test on.
    pub has_test: bool,
}

impl ArraysProfile {
    /// Looks at a file.
    ///
    /// # Errors
    /// It has no `x_train` and `y_train` that fit.
    pub fn read(path: &Path) -> Result<Self> {
        let mut arrays = Arrays::open(path)?;
        let names = arrays.names();
        let has = |name: &str| names.iter().any(|own| own == name);
        let missing = ["x_train", "y_train"].into_iter().find(|name| !has(name));
        if let Some(missing) = missing {
            let listed = arrays.listed();
            let problem =
                format!("no array `{missing}`; it has {listed}: write np.savez(path, x_train=…, y_train=…)");
            return Err(Error::data(path, problem));
        }
        let limit = MemoryLimit::of_free();
        let inputs = arrays.read("x_train", Integers::Features, limit)?;
        let limit = inputs.as_ref().map_or(limit, |inputs| limit.less(&inputs.tensor));
        let shape: Vec<usize> = inputs.as_ref().map_or(Vec::new(), |inputs| inputs.tensor.dims().to_vec());
        let are_bytes = inputs.is_some_and(|inputs| inputs.tensor.dtype() == DType::U8);
        let ys = arrays.read("y_train", Integers::Exact, limit)?;
        let ys = ys.ok_or_else(|| Error::data(path, "no array `y_train`"))?.tensor;
        let rows = shape.first().copied().unwrap_or(0);
        if shape.len() < 2 || rows == 0 || ys.dims().first() != Some(&rows) {
            let (xs, ys) = (&shape, ys.dims());
            let problem = format!(
                "`x_train` {xs:?} and `y_train` {ys:?} do not fit: x is (N, F) or (N, T, F), y is (N) or (N, K)"
            );
            return Err(Error::data(path, problem));
        }
        Ok(Self {
            row: shape[1..].to_vec(),
            rows,
            are_bytes,
            targets: targets(path, &ys)?,
            has_validation: has("x_val"),
            has_test: has("x_test"),
        })
    }
}

/// The kind of these targets: classes where they are few whole numbers from 0.
fn targets(path: &Path, ys: &candle_core::Tensor) -> Result<ArrayTargets> {
    let rows = ys.dims()[0];
    let width = ys.elem_count() / rows.max(1);
    let numbers = ys.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    if width != 1 {
        let one_hot = if ys.rank() == 2 { one_hot(&numbers, width) } else { None };
        return Ok(one_hot.map_or(ArrayTargets::Values(width), ArrayTargets::OneHot));
    }
    let has = |wanted: f64| numbers.iter().any(|number| number.total_cmp(&wanted).is_eq());
    #[allow(clippy::float_cmp, reason = "a label is 1 or -1 exactly")]
    let are_signs = numbers.iter().all(|number| number.abs() == 1.0);
    if are_signs && has(-1.0) && has(1.0) {
        return Ok(ArrayTargets::Signs);
    }
    let mut counts: Vec<u64> = Vec::new();
    for number in numbers {
        #[allow(clippy::cast_precision_loss, reason = "a small number")]
        let is_class = number.fract() == 0.0 && (0.0..MOST_CLASSES as f64).contains(&number);
        if !is_class {
            return Ok(ArrayTargets::Values(1));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
        let class = number as usize;
        counts.resize(counts.len().max(class + 1), 0);
        counts[class] += 1;
    }
    if counts.iter().filter(|count| **count > 0).count() < 2 {
        let problem = "all rows have the same value in `y_train`; there is nothing to learn";
        return Err(Error::data(path, problem));
    }
    // Most numbers up to the largest occur: they count classes.
    let used = counts.iter().filter(|count| **count > 0).count();
    if 2 * used < counts.len() || 2 * used > rows {
        return Ok(ArrayTargets::Values(1));
    }
    Ok(ArrayTargets::Classes(counts))
}

/// The rows of each class where every row (C) is zeros but for one 1, and two classes have rows at least.
fn one_hot(numbers: &[f64], width: usize) -> Option<Vec<u64>> {
    let mut counts = vec![0; width];
    for row in numbers.chunks(width.max(1)) {
        #[allow(clippy::float_cmp, reason = "an indicator is 1 exactly")]
        let class = row.iter().position(|number| *number == 1.0)?;
        let are_zeros = row.iter().enumerate().all(|(own, number)| own == class || number.abs() <= 0.0);
        counts[class] += u64::from(are_zeros);
        if !are_zeros {
            return None;
        }
    }
    (counts.iter().filter(|count| **count > 0).count() > 1).then_some(counts)
}
