//! The units of targets.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use super::preprocess::TargetScale;
use crate::error::Result;

/// The transformation between targets in their own units and the values that the network learns. Clones share it.
#[derive(Debug, Clone)]
pub struct Units {
    scale: Arc<TargetScale>,
    /// The targets that those of each row are changes from, (N, K) of F64.
    last: Option<Tensor>,
}

impl Units {
    /// The units of targets with this transformation.
    pub fn new(scale: TargetScale) -> Self {
        Self { scale: Arc::new(scale), last: None }
    }

    /// The units of rows whose targets are learnt as changes from these, (N, K) of F64.
    pub(crate) fn of_changes_from(&self, last: Tensor) -> Self {
        Self { scale: self.scale.clone(), last: Some(last) }
    }

    /// The number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.scale.mean.len()
    }

    /// The values that the network learns for targets (N, K) of F64, as `dtype`. A loop: operations on tensors cost more
    /// than the few numbers of a batch.
    pub(super) fn standardize(&self, ys: &Tensor, dtype: DType) -> Result<Tensor> {
        let mut values = ys.flatten_all()?.to_vec1::<f64>()?;
        self.for_each(&mut values, |target, value| self.scale.value(target, value));
        if dtype == DType::F32 {
            #[allow(clippy::cast_possible_truncation, reason = "the run's precision")]
            let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
            return Ok(Tensor::from_vec(values, ys.shape(), &Device::Cpu)?);
        }
        Ok(Tensor::from_vec(values, ys.shape(), &Device::Cpu)?.to_dtype(dtype)?)
    }

    /// Converts values (N, K) to the original units, in f64 on the CPU, as f32 may not be able to hold them.
    pub fn restore(&self, ys: &Tensor) -> Result<Tensor> {
        let restored = self.mapped(ys, |target, value| self.scale.restore(target, value))?;
        self.last.as_ref().map_or(Ok(restored.clone()), |last| Ok((&restored + last)?))
    }

    /// Converts differences (N, K), such as standard deviations, to the original units.
    pub fn widen(&self, differences: &Tensor) -> Result<Tensor> {
        self.mapped(differences, |target, difference| difference * self.scale.std[target])
    }

    /// The distance of two values of a target for the network.
    pub(crate) fn distance(&self, target: usize, a: f64, b: f64) -> f64 {
        self.scale.distance(target, a, b)
    }

    fn mapped(&self, values: &Tensor, of: impl Fn(usize, f64) -> f64) -> Result<Tensor> {
        let mut numbers =
            values.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        self.for_each(&mut numbers, of);
        Ok(Tensor::from_vec(numbers, values.shape(), &Device::Cpu)?)
    }

    /// Replaces every number of rows of targets.
    fn for_each(&self, numbers: &mut [f64], of: impl Fn(usize, f64) -> f64) {
        for row in numbers.chunks_exact_mut(self.scale.mean.len().max(1)) {
            row.iter_mut().enumerate().for_each(|(target, number)| *number = of(target, *number));
        }
    }
}
