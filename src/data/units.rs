//! The units of targets.

use candle_core::{DType, Device, Tensor};

use crate::error::Result;

/// Mean and standard deviation of standardised targets, to convert predictions back to the original units.
#[derive(Debug, Clone)]
pub struct Units {
    /// (K)
    pub mean: Tensor,
    /// (K)
    pub std: Tensor,
}

impl Units {
    /// The units of targets with these means and standard deviations.
    pub fn new(mean: &[f64], std: &[f64]) -> Result<Self> {
        Ok(Self { mean: Tensor::new(mean, &Device::Cpu)?, std: Tensor::new(std, &Device::Cpu)? })
    }

    /// Standardises values (N, K) of F64, and returns them as `dtype`. A loop: operations on tensors cost more than the
    /// few numbers of a batch.
    pub(super) fn standardize(&self, ys: &Tensor, dtype: DType) -> Result<Tensor> {
        let (mean, std) = (self.mean.to_vec1::<f64>()?, self.std.to_vec1::<f64>()?);
        let mut values = ys.flatten_all()?.to_vec1::<f64>()?;
        for row in values.chunks_exact_mut(mean.len().max(1)) {
            for ((value, mean), std) in row.iter_mut().zip(&mean).zip(&std) {
                *value = (*value - mean) / std;
            }
        }
        if dtype == DType::F32 {
            #[allow(clippy::cast_possible_truncation, reason = "the run's precision")]
            let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
            return Ok(Tensor::from_vec(values, ys.shape(), &Device::Cpu)?);
        }
        Ok(Tensor::from_vec(values, ys.shape(), &Device::Cpu)?.to_dtype(dtype)?)
    }

    /// Converts values (N, K) to the original units, in f64 on the CPU, as f32 may not be able to hold them.
    pub fn restore(&self, ys: &Tensor) -> Result<Tensor> {
        let ys = ys.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        Ok(ys.broadcast_mul(&self.std)?.broadcast_add(&self.mean)?)
    }

    /// Converts differences (N, K), such as standard deviations, to the original units.
    pub fn widen(&self, differences: &Tensor) -> Result<Tensor> {
        let differences = differences.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        Ok(differences.broadcast_mul(&self.std)?)
    }
}
