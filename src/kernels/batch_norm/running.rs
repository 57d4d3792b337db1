//! The running statistics of batch normalisation: their update, and evaluation by them.

use candle_core::{D, Result, Tensor, Var};

use super::output::ChannelAffine;
use super::passes::scale_and_shift;
use crate::kernels::activation::{self, apply};
use crate::kernels::buffers::filled;
use crate::kernels::columns;
use crate::kernels::storage::{Float, edit, tensor, view};
use crate::kernels::{by_dtype, is_fused};

/// Normalises rows, contiguous and of any rank, by given statistics instead of the batch's, as in evaluation.
pub fn normalize_by(
    xs: &Tensor,
    [mean, var]: [&Tensor; 2],
    ChannelAffine { weight, bias, act }: ChannelAffine<'_>,
    eps: f64,
) -> Result<Tensor> {
    let scale = (weight / (var + eps)?.sqrt()?)?;
    let shift = (bias - (mean * &scale)?)?;
    debug_assert_eq!(xs.dim(D::Minus1)?, scale.elem_count());
    if !is_fused(xs) {
        return activation::forward_if(act, &xs.broadcast_mul(&scale)?.broadcast_add(&shift)?);
    }
    by_dtype!(xs, T => {
        let (x, scale, shift) = (view::<T>(xs)?, view::<T>(&scale)?, view::<T>(&shift)?);
        let chunks = x.chunks(columns::chunk(scale.len())).map(|x| (x.len(), x));
        let [ys] = filled(chunks, |x, [ys]: [&mut [T]; 1]| {
            scale_and_shift(ys, x, [&scale, &shift]);
            if let Some(act) = act {
                apply(act, ys);
            }
        });
        tensor(ys, xs.shape())
    })
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
