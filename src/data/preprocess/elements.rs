//! The preprocessing of arrays and pictures: every element of a row is scaled.

use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

use crate::data::bytes::Bytes;
use crate::error::Result;
use crate::names::counted;

/// Numbers that are scaled at a time.
const CHUNK: usize = 1 << 18;

/// `(x - offset) / spread` per feature, if that was fitted, then `x · scale + shift`, which batches apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elements {
    /// The factor of every element.
    pub scale: f64,
    /// The term added to every element.
    pub shift: f64,
    /// Subtracted from each feature; empty if nothing was fitted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offset: Vec<f64>,
    /// The divisor of each feature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spread: Vec<f64>,
}

impl Elements {
    /// `x · scale + shift` of every element.
    pub fn affine(scale: f64, shift: f64) -> Self {
        Self { scale, shift, offset: Vec::new(), spread: Vec::new() }
    }

    /// Applies the fitted part alone to rows (N, F) or (N, T, F).
    pub fn fitted(&self, xs: &Tensor) -> Result<Tensor> {
        if self.offset.is_empty() {
            return Ok(xs.clone());
        }
        let vector = |numbers: &[f64]| Tensor::new(numbers, xs.device());
        let xs = xs.to_dtype(DType::F64)?;
        Ok(xs.broadcast_sub(&vector(&self.offset)?)?.broadcast_div(&vector(&self.spread)?)?)
    }

    /// As [`Self::fitted`] of inputs with this meaning of their bytes, in `dtype`. The numbers of 64 bits are those of some
    /// rows at a time.
    pub(in crate::data) fn fitted_as(&self, xs: &Tensor, bytes: Bytes, dtype: DType) -> Result<Tensor> {
        let (rows, width) = (xs.dim(0)?, xs.elem_count() / xs.dim(0)?.max(1));
        let together = (CHUNK / width.max(1)).max(1);
        let fitted = Tensor::zeros(xs.shape(), dtype, xs.device())?;
        for first in (0..rows).step_by(together) {
            let chunk = bytes.numbers(&xs.narrow(0, first, together.min(rows - first))?)?;
            fitted.slice_set(&self.fitted(&chunk)?.to_dtype(dtype)?, 0, first)?;
        }
        Ok(fitted)
    }

    /// Rows (N, F) or (N, T, F) as the network reads them, in f64.
    pub fn apply(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(self.fitted(xs)?.to_dtype(DType::F64)?.affine(self.scale, self.shift)?)
    }

    /// The elements of a row (F) or (T, F) that the network reads as `features`.
    pub fn invert(&self, features: &[f64]) -> Vec<f64> {
        let element = |(index, x): (usize, &f64)| {
            let x = (x - self.shift) / self.scale;
            let fitted = self.offset.get(index % self.offset.len().max(1));
            let fitted = fitted.zip(self.spread.get(index % self.spread.len().max(1)));
            fitted.map_or(x, |(offset, spread)| x * spread + offset)
        };
        features.iter().enumerate().map(element).collect()
    }

    /// A description for people.
    pub fn describe(&self) -> String {
        if self.offset.is_empty() {
            return format!("x · {:.6} + {:.6}", self.scale, self.shift);
        }
        let features = counted(self.offset.len(), "feature");
        format!("{features}, each scaled by its training rows")
    }
}
