//! A batch from a data set: picks rows and turns them into the training's dtype, normalised on the way.
//!
//! Data that is bytes stays bytes in memory: MNIST takes 47 MB instead of 188.

use candle_core::{DType, Result, Tensor, WithDType};
use num_traits::AsPrimitive;

use super::storage::{Float, tensor, view};
use super::vectorized::vectorized;
use super::{by_dtype, team};

/// `xs[indices] · scale + shift` as `dtype`: xs (N, …) of bytes or numbers to (indices, …).
pub fn rows(xs: &Tensor, indices: &[u32], scale: f64, shift: f64, dtype: DType) -> Result<Tensor> {
    let fused = xs.device().is_cpu() && matches!(dtype, DType::F32 | DType::F64);
    match xs.dtype() {
        DType::U8 if fused && dtype == DType::F32 => pick::<u8, f32>(xs, indices, scale, shift),
        DType::U8 if fused => pick::<u8, f64>(xs, indices, scale, shift),
        // Numbers were given the right type when they were loaded.
        same if fused && same == dtype => by_dtype!(xs, T => pick::<T, T>(xs, indices, scale, shift)),
        _ => plain(xs, indices, scale, shift, dtype),
    }
}

/// The plain twin.
fn plain(xs: &Tensor, indices: &[u32], scale: f64, shift: f64, dtype: DType) -> Result<Tensor> {
    let indices = Tensor::new(indices, xs.device())?;
    xs.index_select(&indices, 0)?.to_dtype(dtype)?.affine(scale, shift)
}

/// Elements that one thread takes at a time.
const PIECE: usize = 1 << 14;

fn pick<S: WithDType + AsPrimitive<T>, T: Float>(
    xs: &Tensor,
    indices: &[u32],
    scale: f64,
    shift: f64,
) -> Result<Tensor> {
    let x = view::<S>(xs)?;
    let mut shape = xs.dims().to_vec();
    let row = xs.elem_count() / shape[0].max(1);
    let mut batch = vec![T::of(0.0); indices.len() * row];
    let together = (PIECE / row.max(1)).max(1);
    let pieces = indices.chunks(together).zip(batch.chunks_mut((together * row).max(1))).collect();
    team::try_for_each(pieces, |(indices, batch)| {
        for (&index, out) in indices.iter().zip(batch.chunks_exact_mut(row.max(1))) {
            let start = index as usize * row;
            let Some(values) = x.get(start..start + row) else {
                candle_core::bail!("row {index} of a data set of {}", shape[0]);
            };
            convert(out, values, T::of(scale), T::of(shift));
        }
        Ok(())
    })?;
    shape[0] = indices.len();
    tensor(batch, shape)
}

vectorized! {
    fn convert[S: AsPrimitive<T>, T: Float](out: &mut [T], values: &[S], scale: T, shift: T) {
        for (out, &x) in out.iter_mut().zip(values) {
            *out = x.as_() * scale + shift;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn rows_are_the_plain_twins() {
        let bytes = Tensor::new(&[[0u8, 255], [51, 102], [7, 9]], &Device::Cpu).unwrap();
        for dtype in [DType::F32, DType::F64] {
            for xs in [&bytes, &bytes.to_dtype(dtype).unwrap()] {
                let picked = rows(xs, &[2, 0, 2], 1.0 / 255.0, -0.5, dtype).unwrap();
                let expected = plain(xs, &[2, 0, 2], 1.0 / 255.0, -0.5, dtype).unwrap();
                assert_eq!(picked.dims(), [3, 2]);
                let off = (picked - expected).unwrap().abs().unwrap().max_all().unwrap();
                assert!(off.to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap() < 1e-7);
            }
        }
        assert!(rows(&bytes, &[3], 1.0, 0.0, DType::F32).is_err());
    }
}
