//! The running statistics of batch normalisation: their update, and evaluation by them.

use candle_core::{D, Result, Tensor, Var};

use crate::kernels::storage::Float;
use crate::kernels::storage::{edit, view};
use crate::kernels::{by_dtype, is_fused};

/// Normalises by given statistics instead of the batch's, as in evaluation.
pub fn normalize_by(
    xs: &Tensor,
    [mean, var]: [&Tensor; 2],
    [w, b]: [&Tensor; 2],
    eps: f64,
) -> Result<Tensor> {
    let scale = (w / (var + eps)?.sqrt()?)?;
    let shift = (b - (mean * &scale)?)?;
    debug_assert_eq!(xs.dim(D::Minus1)?, scale.elem_count());
    xs.broadcast_mul(&scale)?.broadcast_add(&shift)
}

/// `running ← (1 - momentum) running + momentum · correction · batch`, in place.
pub fn track(running: &Var, batch: &Tensor, momentum: f64, correction: f64) -> Result<()> {
    if !is_fused(running) {
        return running.set(
            &((running.as_detached_tensor() * (1.0 - momentum))? + (batch * (momentum * correction))?)?,
        );
    }
    by_dtype!(running, T => {
        let batch = view::<T>(batch)?;
        let (keep, take) = (T::of(1.0 - momentum), T::of(momentum * correction));
        edit::<T, _>(running, |running| {
            running.iter_mut().zip(batch.iter()).for_each(|(r, &b)| *r = keep * *r + take * b);
        })
    })
}
