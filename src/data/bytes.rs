//! The meaning of inputs that are kept as bytes.

use candle_core::{DType, Tensor};

/// The meaning of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bytes {
    /// Brightness from 0 to 255, which is divided by 255.
    #[default]
    Pixels,
    /// Integers from -128 on, plus 128.
    Signed,
    /// 0 and 1.
    Flags,
}

impl Bytes {
    /// The number to add to a byte to get its value.
    pub fn offset(self) -> f64 {
        if self == Self::Signed { -128.0 } else { 0.0 }
    }

    /// The numbers that the elements of a tensor stand for: those of other types, and bytes that stand for themselves, as
    /// they are.
    pub fn numbers(self, xs: &Tensor) -> candle_core::Result<Tensor> {
        if xs.dtype() != DType::U8 || self == Self::Pixels {
            return Ok(xs.clone());
        }
        xs.to_dtype(DType::F32)?.affine(1.0, self.offset())
    }
}
