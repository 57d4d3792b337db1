//! Weights of rows: how much each counts.

use candle_core::{Device, Tensor};

use super::Dataset;
use crate::error::Result;

/// The row that counts most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeaviestRow {
    /// Its weight.
    pub weight: f64,
    /// The fraction of all rows' weight that it has.
    pub fraction: f64,
}

impl Dataset {
    /// The weights of these rows, (rows) of F64 on the CPU; `None` where all rows count alike.
    pub fn row_weights(&self, rows: &[u32]) -> Result<Option<Tensor>> {
        let Some(weights) = &self.weights else { return Ok(None) };
        let of = |row: &u32| weights.get(*row as usize).copied().unwrap_or(1.0);
        let weights: Vec<f64> = rows.iter().map(of).collect();
        Ok(Some(Tensor::from_vec(weights, rows.len(), &Device::Cpu)?))
    }

    /// The rows whose weight is not 0, ascending.
    pub fn counted_rows(&self) -> Vec<u32> {
        let weight = |row: u32| self.weights.as_ref().and_then(|weights| weights.get(row as usize));
        let counts = |row: &u32| weight(*row).is_none_or(|weight| *weight > 0.0);
        (0u32..).take(self.len()).filter(counts).collect()
    }

    /// Whether rows count differently.
    pub fn is_weighted(&self) -> bool {
        self.weights.is_some()
    }

    /// The row that counts most; nothing where all rows count alike, or none counts.
    pub fn heaviest_row(&self) -> Option<HeaviestRow> {
        let weights = self.weights.as_deref()?;
        let weight = weights.iter().copied().fold(0.0, f64::max);
        let sum: f64 = weights.iter().sum();
        (sum > 0.0).then(|| HeaviestRow { weight, fraction: weight / sum })
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Tensor};

    use super::HeaviestRow;
    use crate::data::{Affine, Dataset};

    #[test]
    fn the_row_that_counts_most_is_found() {
        let xs = Tensor::zeros((4, 1), DType::F32, &Device::Cpu).unwrap();
        let ys = Tensor::zeros((4, 1), DType::F32, &Device::Cpu).unwrap();
        let data = Dataset::new(&xs, &ys, Affine::IDENTITY, DType::F32, &Device::Cpu).unwrap();
        assert_eq!(data.heaviest_row(), None);
        let weighted = |weights: [f64; 4]| data.clone().with_weights(Some(weights.to_vec())).heaviest_row();
        assert_eq!(weighted([1.0, 2.0, 4.0, 1.0]), Some(HeaviestRow { weight: 4.0, fraction: 0.5 }));
        assert_eq!(weighted([0.0; 4]), None);
    }
}
