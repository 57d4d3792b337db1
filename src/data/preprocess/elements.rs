//! The preprocessing of arrays and pictures: every element of a row is scaled.

use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

use super::column::{smooth_clip, smooth_unclip};
use super::element_range::ElementRange;
use super::quantiles::Quantiles;
use crate::data::bytes::Bytes;
use crate::error::Result;
use crate::kernels::gather::Affine;
use crate::names::counted;

/// Numbers that are scaled at a time.
const CHUNK: usize = 1 << 18;

/// Whether a divisor makes 0 of all numbers, as that of a constant feature; times it they would not be finite.
pub(crate) fn makes_zero(divisor: f64) -> bool {
    divisor.abs() >= 1e300
}

/// `(x - offset) / spread` per feature and a curve, if these were fitted, then `x · scale + shift`, which batches apply.
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
    /// Whether the fitted features are clipped smoothly.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub smooth_clip: bool,
    /// The quantiles by which each feature becomes normal; empty if it does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<Quantiles>,
    /// The range of the training rows; nothing of a run of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) range: Option<ElementRange>,
}

/// Inputs with their fitted normalisation, and the rest of it, which is applied batch by batch.
pub(crate) struct ScaledInputs {
    /// (N, …)
    pub(crate) xs: Tensor,
    /// The rest.
    pub(crate) affine: Affine,
}

impl Elements {
    /// `x · scale + shift` of every element.
    pub fn affine(scale: f64, shift: f64) -> Self {
        let (offset, spread, quantiles) = (Vec::new(), Vec::new(), Vec::new());
        Self { scale, shift, offset, spread, smooth_clip: false, quantiles, range: None }
    }

    /// `(x - offset) / spread` of each feature.
    pub(super) fn scaled(offset: Vec<f64>, spread: Vec<f64>) -> Self {
        Self { offset, spread, ..Self::affine(1.0, 0.0) }
    }

    /// The same, with the range of the rows (N, …) that it was fitted to.
    pub(in crate::data) fn with_range_of(self, xs: &Tensor, bytes: Bytes) -> Result<Self> {
        Ok(Self { range: ElementRange::of(xs, bytes)?, ..self })
    }

    /// A sentence about rows (N, …) far outside those of training, if they are and are not bounded.
    pub(crate) fn doubt(&self, xs: &Tensor, bytes: Bytes) -> Result<Option<String>> {
        let is_bounded = self.smooth_clip || !self.quantiles.is_empty();
        self.range.filter(|_| !is_bounded).map_or(Ok(None), |range| range.doubt(xs, bytes))
    }

    /// Applies the fitted part alone to rows (N, F) or (N, T, F).
    pub fn fitted(&self, xs: &Tensor) -> Result<Tensor> {
        if self.offset.is_empty() {
            return Ok(xs.clone());
        }
        let vector = |numbers: &[f64]| Tensor::new(numbers, xs.device());
        let xs = xs.to_dtype(DType::F64)?;
        let xs = xs.broadcast_sub(&vector(&self.offset)?)?.broadcast_div(&vector(&self.spread)?)?;
        if !self.smooth_clip && self.quantiles.is_empty() {
            return Ok(xs);
        }
        let mut numbers = xs.flatten_all()?.to_vec1::<f64>()?;
        if self.smooth_clip {
            for x in &mut numbers {
                *x = smooth_clip(*x);
            }
        }
        for row in numbers.chunks_mut(self.quantiles.len().max(1)) {
            row.iter_mut().zip(&self.quantiles).for_each(|(x, quantiles)| *x = quantiles.to_normal(*x));
        }
        Ok(Tensor::from_vec(numbers, xs.shape(), xs.device())?)
    }

    /// Applies the fitted part alone to rows (N, …) with this meaning of their bytes. Without one, bytes stay bytes.
    pub(crate) fn scaled_inputs(&self, xs: &Tensor, bytes: Bytes) -> Result<ScaledInputs> {
        let affine = self.batch_affine();
        if self.offset.is_empty() && xs.dtype() == DType::U8 {
            let affine = Affine { shift: affine.shift + affine.scale * bytes.offset(), ..affine };
            return Ok(ScaledInputs { xs: xs.clone(), affine });
        }
        Ok(ScaledInputs { xs: self.fitted(&bytes.numbers(xs)?)?, affine })
    }

    /// The part that batches apply.
    pub(in crate::data) fn batch_affine(&self) -> Affine {
        Affine { scale: self.scale, shift: self.shift }
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
            let mut x = (x - self.shift) / self.scale;
            if self.smooth_clip {
                x = smooth_unclip(x);
            }
            if let Some(quantiles) = self.quantiles.get(index % self.quantiles.len().max(1)) {
                x = quantiles.from_normal(x);
            }
            let fitted = self.offset.get(index % self.offset.len().max(1));
            let fitted = fitted.zip(self.spread.get(index % self.spread.len().max(1)));
            // The numbers of a constant column are the offset.
            fitted
                .map_or(x, |(offset, spread)| if makes_zero(*spread) { *offset } else { x * spread + offset })
        };
        features.iter().enumerate().map(element).collect()
    }

    /// A description for people.
    pub fn describe(&self) -> String {
        if self.offset.is_empty() {
            return format!("x · {:.6} + {:.6}", self.scale, self.shift);
        }
        let features = counted(self.offset.len(), "feature");
        if !self.quantiles.is_empty() {
            return format!("{features}, each made normal by the quantiles of its training rows");
        }
        let clipped = if self.smooth_clip { ", and clipped smoothly at 3" } else { "" };
        format!("{features}, each scaled by its training rows{clipped}")
    }
}
