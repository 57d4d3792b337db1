//! Weights of classes, for the losses of classes.

use candle_core::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::registry::KeyError;

/// Class weights computed from the training rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// `rows / (classes · rows of the class)`, as scikit-learn's `class_weight="balanced"`.
    Balanced,
}

/// Validates class weights: finite, 0 or more, not all 0, and given by one option only.
pub(super) fn check(weight: Option<&[f64]>, class_weight: Option<ClassWeight>) -> Result<(), KeyError> {
    let Some(weight) = weight else { return Ok(()) };
    if class_weight.is_some() {
        return Err(KeyError::new("class_weight", "cannot be used with `weight`; choose one"));
    }
    if weight.iter().all(|w| *w == 0.0) {
        return Err(KeyError::new("weight", "has no class that counts; one must be greater than 0"));
    }
    match weight.iter().position(|w| !w.is_finite() || *w < 0.0) {
        Some(at) => Err(KeyError::new(format!("weight[{at}]"), "is not a finite number of 0 or more")),
        None => Ok(()),
    }
}

/// Requires one weight for each class.
pub(super) fn check_count(weight: Option<&[f64]>, classes: usize) -> Result<(), KeyError> {
    match weight {
        Some(weight) if weight.len() != classes => Err(KeyError::new(
            "weight",
            format!("has {} numbers for {classes} classes; give one a class", weight.len()),
        )),
        _ => Ok(()),
    }
}

/// Adds the rows of each class to `counts`; a target of probabilities adds its probabilities.
pub(super) fn count(ys: &Tensor, ignored: i64, counts: &mut [f64]) -> Result<()> {
    if ys.rank() == 2 {
        let shares: Vec<f64> = ys.to_dtype(candle_core::DType::F64)?.sum(0)?.to_vec1()?;
        counts.iter_mut().zip(shares).for_each(|(count, share)| *count += share);
        return Ok(());
    }
    for y in ys.to_vec1::<i64>()?.into_iter().filter(|y| *y != ignored) {
        if let Some(count) = usize::try_from(y).ok().and_then(|y| counts.get_mut(y)) {
            *count += 1.0;
        }
    }
    Ok(())
}

/// The weights that give every class that occurs the same total weight.
pub(super) fn balance(counts: &[f64]) -> Vec<f64> {
    let rows: f64 = counts.iter().sum();
    let classes: f64 = counts.iter().filter(|count| **count > 0.0).map(|_| 1.0).sum();
    counts.iter().map(|count| if *count > 0.0 { rows / (classes * count) } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn balanced_weights_are_scikit_learns() {
        // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 2, 2]) gives [2/3, 2, 1].
        let ys = Tensor::new(&[0i64, 0, 0, 1, 2, 2, -100], &Device::Cpu).unwrap();
        let mut counts = [0.0; 3];
        count(&ys, -100, &mut counts).unwrap();
        let weights = balance(&counts);
        for (weight, expected) in weights.iter().zip([2.0 / 3.0, 2.0, 1.0]) {
            assert!((weight - expected).abs() < 1e-12);
        }
        assert!(balance(&[3.0, 0.0])[1] == 0.0);
    }
}
