//! A scalar that may still be on the device.

use candle_core::{DType, Result, Tensor};

/// A sum of losses, and its gradient.
#[derive(Debug, Clone)]
pub struct ValueAndGrad {
    /// The sum.
    pub value: Scalar,
    /// The gradient by what the losses are of.
    pub grad: Tensor,
}

/// A scalar on the host or on the device.
#[derive(Debug, Clone)]
pub enum Scalar {
    /// Its value.
    Host(f64),
    /// In the device's memory, as f64 of no dimensions. What works it out may be queued.
    Device(Tensor),
}

impl Scalar {
    /// A tensor of one element.
    pub fn of(tensor: &Tensor) -> Result<Self> {
        let tensor = tensor.to_dtype(DType::F64)?;
        if tensor.device().is_cuda() { Ok(Self::Device(tensor)) } else { Ok(Self::Host(tensor.to_scalar()?)) }
    }

    /// The value; on a GPU this waits for all that is queued.
    pub fn read(&self) -> Result<f64> {
        match self {
            Self::Host(value) => Ok(*value),
            Self::Device(tensor) => tensor.to_scalar(),
        }
    }

    /// This number over another.
    pub fn over(self, divisor: f64) -> Result<Self> {
        match self {
            Self::Host(value) => Ok(Self::Host(value / divisor)),
            Self::Device(value) => Ok(Self::Device((value / divisor)?)),
        }
    }

    /// The sum of two.
    pub fn plus(self, other: Self) -> Result<Self> {
        match (self, other) {
            (Self::Host(a), Self::Host(b)) => Ok(Self::Host(a + b)),
            (Self::Device(a), Self::Device(b)) => Ok(Self::Device((a + b)?)),
            (Self::Device(there), Self::Host(here)) | (Self::Host(here), Self::Device(there)) => {
                Ok(Self::Device((there + here)?))
            }
        }
    }
}
