//! Rows on a device, ready to be picked in any order.

use candle_core::{DType, Device, Tensor};
use rand::seq::SliceRandom;

use crate::error::Result;
use crate::kernels::gather;
use crate::rng::{Purpose, Stream};

/// Inputs and targets of one split. Bytes stay bytes until a batch is picked.
#[derive(Debug, Clone)]
pub struct Dataset {
    xs: Tensor,
    ys: Tensor,
    scale: f64,
    shift: f64,
    dtype: DType,
}

/// Rows that go through the network together.
#[derive(Debug, Clone)]
pub struct Batch {
    /// (B, F) or (B, T, F), normalised, in the training's dtype.
    pub xs: Tensor,
    /// Classes (B) as I64, or values (B, K).
    pub ys: Tensor,
}

impl Dataset {
    /// A data set of `xs` (N, …), which a batch turns into `xs · scale + shift`, and `ys` (N) or (N, K).
    pub fn new(
        xs: &Tensor,
        ys: &Tensor,
        (scale, shift): (f64, f64),
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        // Numbers are converted once, bytes a batch at a time.
        let xs = if xs.dtype() == DType::U8 { xs.clone() } else { xs.to_dtype(dtype)? };
        let ys = if ys.dtype() == DType::I64 { ys.clone() } else { ys.to_dtype(dtype)? };
        let (xs, ys) = (xs.contiguous()?.to_device(device)?, ys.contiguous()?.to_device(device)?);
        Ok(Self { xs, ys, scale, shift, dtype })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.xs.dims()[0]
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape of one row: `[F]` or `[T, F]`.
    pub fn row_shape(&self) -> &[usize] {
        &self.xs.dims()[1..]
    }

    /// All inputs as they are kept, all targets, and what inputs are multiplied by and what is added.
    pub(super) fn parts(&self) -> (&Tensor, &Tensor, (f64, f64)) {
        (&self.xs, &self.ys, (self.scale, self.shift))
    }

    /// The dtype of a batch.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The inputs of these rows.
    pub fn inputs(&self, rows: &[u32]) -> Result<Tensor> {
        self.inputs_again(rows, None)
    }

    /// The inputs of these rows, in the place of another batch that is no longer needed, where that fits.
    pub fn inputs_again(&self, rows: &[u32], again: Option<Tensor>) -> Result<Tensor> {
        Ok(gather::rows(&self.xs, rows, (self.scale, self.shift), self.dtype, again)?)
    }

    /// The targets of these rows.
    pub fn targets(&self, rows: &[u32]) -> Result<Tensor> {
        if self.ys.dtype() == DType::I64 {
            return Ok(gather::classes(&self.ys, rows)?);
        }
        Ok(gather::rows(&self.ys, rows, (1.0, 0.0), self.dtype, None)?)
    }

    /// Inputs and targets of these rows.
    pub fn batch(&self, rows: &[u32]) -> Result<Batch> {
        Ok(Batch { xs: self.inputs(rows)?, ys: self.targets(rows)? })
    }
}

/// The order of `len` rows in an epoch: as they lie, or shuffled by (seed, epoch).
pub fn order(len: usize, shuffle: bool, seed: u64, epoch: u64) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..u32::try_from(len).unwrap_or(u32::MAX)).collect();
    if shuffle {
        rows.shuffle(&mut Stream::new(seed, Purpose::Shuffle, epoch));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_permutation_decided_by_seed_and_epoch() {
        let plain = order(1000, false, 1, 1);
        assert!(plain.iter().enumerate().all(|(i, row)| i == *row as usize));
        let shuffled = order(1000, true, 1, 1);
        assert_eq!(shuffled, order(1000, true, 1, 1));
        assert_ne!(shuffled, order(1000, true, 2, 1));
        assert_ne!(shuffled, order(1000, true, 1, 2));
        let mut sorted = shuffled.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, plain);
        assert_ne!(shuffled, plain);
    }
}
