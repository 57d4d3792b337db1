//! Weights as whole numbers of 8 bits: each row of a matrix has its own scale, the largest weight is 127.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{Device, Tensor};

use crate::error::{Error, Result};
use crate::export::model::{TrainedModel, Weights};
use crate::nn::Op;

/// A matrix of 8 bits a weight.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantized {
    /// (rows, columns), row-major.
    pub(super) weights: Vec<i8>,
    /// The scale of each row.
    pub(super) scale: Vec<f32>,
}

impl Quantized {
    /// The nearest matrix. `name` is the tensor's.
    ///
    /// # Errors
    /// A weight is not finite.
    #[allow(clippy::cast_possible_truncation, reason = "at most 127")]
    pub(super) fn of(name: &str, Weights { shape, values }: &Weights) -> Result<Self> {
        if values.iter().any(|weight| !weight.is_finite()) {
            let problem = "has weights that are not finite, and whole numbers have none; leave --int8 out";
            return Err(Error::Config(format!("--int8: `{name}` {problem}")));
        }
        let columns = shape.last().copied().unwrap_or(1).max(1);
        let (mut weights, mut scales) = (Vec::with_capacity(values.len()), Vec::new());
        for row in values.chunks(columns) {
            let largest = row.iter().fold(0f32, |largest, weight| largest.max(weight.abs()));
            let scale = largest / 127.0;
            scales.push(scale);
            let whole =
                |weight: &f32| if scale > 0.0 { (weight / scale).round().clamp(-127.0, 127.0) } else { 0.0 };
            weights.extend(row.iter().map(|weight| whole(weight) as i8));
        }
        Ok(Self { weights, scale: scales })
    }

    /// The weights as numbers again.
    fn values(&self) -> Vec<f32> {
        let columns = self.weights.len() / self.scale.len().max(1);
        let rows = self.weights.chunks(columns.max(1)).zip(&self.scale);
        rows.flat_map(|(row, scale)| row.iter().map(move |weight| f32::from(*weight) * scale)).collect()
    }
}

/// The state dict with the matrices rounded to 8 bits a weight.
pub(super) fn state(model: &TrainedModel) -> Result<BTreeMap<String, Tensor>> {
    let names: BTreeSet<&str> = model.members.iter().flatten().flat_map(matrices).collect();
    let mut state = model.state()?;
    for name in names {
        let weights = model.tensor(name)?;
        let values = Quantized::of(name, &weights)?.values();
        state.insert(name.to_owned(), Tensor::from_vec(values, weights.shape, &Device::Cpu)?);
    }
    Ok(state)
}

/// The tensors of a layer that are quantized.
fn matrices(op: &Op) -> Vec<&str> {
    match op {
        Op::Linear { weight, .. } => vec![weight],
        Op::Recurrent { directions, .. } => {
            directions.iter().flat_map(|cell| [cell.weight_ih.as_str(), &cell.weight_hh]).collect()
        }
        Op::Embeddings { tables, .. } => tables.iter().map(|table| table.weight.as_str()).collect(),
        Op::BatchNorm { .. }
        | Op::LayerNorm { .. }
        | Op::Numerical { .. }
        | Op::EnsembleScale { .. }
        | Op::EnsembleLinear { .. }
        | Op::Scale { .. }
        | Op::ParametricActivation { .. }
        | Op::Activation(_)
        | Op::Dropout { .. }
        | Op::TimeMajor
        | Op::LastStep
        | Op::MeanOfSteps => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_weight_of_a_row_is_127() {
        let weights = Weights { shape: vec![3, 2], values: vec![1.0, -2.0, 0.0, 0.0, 0.3, 0.1] };
        let quantized = Quantized::of("w", &weights).unwrap();
        // round(1 / (2 / 127)), and so on
        assert_eq!(quantized.weights, [64, -127, 0, 0, 127, 42]);
        assert_eq!(quantized.scale, [2.0 / 127.0, 0.0, 0.3 / 127.0]);
        for (rounded, weight) in quantized.values().iter().zip(&weights.values) {
            assert!((rounded - weight).abs() <= 1.0 / 127.0, "half a step of the widest row");
        }
        let infinite = Weights { shape: vec![1, 1], values: vec![f32::NAN] };
        assert!(Quantized::of("w", &infinite).is_err());
    }
}
