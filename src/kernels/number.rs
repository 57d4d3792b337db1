//! A number that may still be on its way.

use candle_core::{DType, Result, Tensor};

/// A number that was worked out: here, or on a GPU.
#[derive(Debug, Clone)]
pub enum Number {
    /// Its value.
    Here(f64),
    /// In the device's memory, as f64 of no dimensions. What works it out may be queued.
    There(Tensor),
}

impl Number {
    /// A tensor of one element.
    pub fn of(tensor: &Tensor) -> Result<Self> {
        let tensor = tensor.to_dtype(DType::F64)?;
        if tensor.device().is_cuda() { Ok(Self::There(tensor)) } else { Ok(Self::Here(tensor.to_scalar()?)) }
    }

    /// The value; on a GPU this waits for all that is queued.
    pub fn read(&self) -> Result<f64> {
        match self {
            Self::Here(value) => Ok(*value),
            Self::There(tensor) => tensor.to_scalar(),
        }
    }

    /// The sum of two.
    pub fn plus(self, other: Self) -> Result<Self> {
        match (self, other) {
            (Self::Here(a), Self::Here(b)) => Ok(Self::Here(a + b)),
            (Self::There(a), Self::There(b)) => Ok(Self::There((a + b)?)),
            (Self::There(there), Self::Here(here)) | (Self::Here(here), Self::There(there)) => {
                Ok(Self::There((there + here)?))
            }
        }
    }
}
