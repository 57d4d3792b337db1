//! The affine map of inputs, and the units of targets.

use candle_core::{DType, Device, Tensor};

use crate::error::Result;

/// `x · scale + shift`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// The factor.
    pub scale: f64,
    /// The term.
    pub shift: f64,
}

impl Affine {
    /// The identity: scale 1, shift 0.
    pub const IDENTITY: Self = Self { scale: 1.0, shift: 0.0 };

    /// Scale and shift.
    pub(super) fn pair(self) -> (f64, f64) {
        (self.scale, self.shift)
    }
}

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

    /// Standardises values (N, K) of F64.
    pub(super) fn standardize(&self, ys: &Tensor) -> Result<Tensor> {
        Ok(ys.broadcast_sub(&self.mean)?.broadcast_div(&self.std)?)
    }

    /// Converts values (N, K) to the original units, in f64 on the CPU, as f32 may not be able to hold them.
    pub fn restore(&self, ys: &Tensor) -> Result<Tensor> {
        let ys = ys.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        Ok(ys.broadcast_mul(&self.std)?.broadcast_add(&self.mean)?)
    }
}
