//! `data.subtract_last`: a window without its last values, and targets as their changes since: the normalisation of `NLinear`,
//! Zeng et al. 2023, <https://arxiv.org/abs/2205.13504>.

use candle_core::{D, DType, Device, Tensor};

use super::preprocess::{PastTarget, TableEncoder};
use crate::error::Result;

/// The values subtracted from the windows of a series, and from their targets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SubtractLast {
    /// 1 for each number of a step, 0 for names, and for places in the calendar.
    numbers: Vec<f64>,
    /// The numbers that are the targets' own past.
    targets: Vec<PastTarget>,
}

impl SubtractLast {
    /// Of steps as this encoder makes them; nothing where a target is no feature.
    pub(super) fn of(encoder: &TableEncoder) -> Option<Self> {
        let mut numbers = vec![0.0; encoder.features()];
        encoder.number_features().for_each(|feature| numbers[feature] = 1.0);
        let targets = encoder.past_targets()?;
        Some(Self { numbers, targets })
    }

    /// 1 for each feature of a step that is subtracted, 0 for the others.
    pub(crate) fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    /// The features that are the targets' own past.
    pub(crate) fn targets(&self) -> &[PastTarget] {
        &self.targets
    }

    /// Windows (N, …) without the last step of their numbers.
    pub(crate) fn apply(&self, windows: &Tensor) -> Result<Tensor> {
        let (count, features) = (windows.dims()[0], self.numbers.len());
        let steps = windows.reshape((count, (), features))?;
        let last = steps.narrow(1, steps.dims()[1] - 1, 1)?;
        let mask = Tensor::new(self.numbers.as_slice(), windows.device())?.to_dtype(windows.dtype())?;
        Ok(steps.broadcast_sub(&last.broadcast_mul(&mask)?)?.reshape(windows.shape())?)
    }

    /// The targets at the last step of windows (N, …), in their own units: (N, K) of F64 on the CPU.
    pub(crate) fn last(&self, windows: &Tensor) -> Result<Tensor> {
        let (count, features) = (windows.dims()[0], self.numbers.len());
        let steps = windows.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.reshape((count, (), features))?;
        let last = steps.narrow(1, steps.dims()[1] - 1, 1)?.squeeze(1)?;
        let of = |PastTarget { feature, offset, scale }: &PastTarget| {
            last.narrow(D::Minus1, *feature, 1)?.affine(*scale, *offset)
        };
        let targets = self.targets.iter().map(of).collect::<candle_core::Result<Vec<_>>>()?;
        Ok(Tensor::cat(&targets, D::Minus1)?)
    }

    /// The targets of the step with these features, in their own units.
    pub(crate) fn targets_of<'a>(&'a self, features: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        self.targets.iter().map(|PastTarget { feature, offset, scale }| features[*feature] * scale + offset)
    }
}

/// Targets (N, K) for each of `steps` steps: (N, S K).
pub(crate) fn for_each_step(targets: &Tensor, steps: usize) -> Result<Tensor> {
    Ok(Tensor::cat(&vec![targets; steps], D::Minus1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::real;

    #[test]
    fn a_window_ends_with_zeros_and_its_targets_come_back() {
        let targets = vec![PastTarget { feature: 1, offset: 10.0, scale: 2.0 }];
        let subtract = SubtractLast { numbers: vec![1.0, 1.0, 0.0], targets };
        let numbers: Vec<f64> = (0..12).map(real).collect();
        let windows = Tensor::from_vec(numbers, (2, 6), &Device::Cpu).unwrap();
        let without = subtract.apply(&windows).unwrap().to_vec2::<f64>().unwrap();
        assert_eq!(without, [[-3.0, -3.0, 2.0, 0.0, 0.0, 5.0], [-3.0, -3.0, 8.0, 0.0, 0.0, 11.0]]);
        let last = subtract.last(&windows).unwrap();
        assert_eq!(last.to_vec2::<f64>().unwrap(), [[18.0], [30.0]]);
        assert_eq!(subtract.targets_of(&[3.0, 4.0, 5.0]).collect::<Vec<_>>(), [18.0]);
        assert_eq!(for_each_step(&last, 2).unwrap().to_vec2::<f64>().unwrap(), [[18.0, 18.0], [30.0, 30.0]]);
    }
}
