//! A batch from a data set: picks rows and turns them into the training's dtype, normalised on the way.
//!
//! Data that is bytes stays bytes in memory: MNIST takes 47 MB instead of 188.

use candle_core::{DType, Result, Tensor, WithDType};

use super::by_dtype;
use super::storage::{Float, tensor, view};

/// `xs[indices] · scale + shift` as `dtype`: xs (N, …) of bytes or numbers to (indices, …).
pub fn rows(xs: &Tensor, indices: &[u32], scale: f64, shift: f64, dtype: DType) -> Result<Tensor> {
    let fused = xs.device().is_cpu() && matches!(dtype, DType::F32 | DType::F64);
    match xs.dtype() {
        DType::U8 if fused => match dtype {
            DType::F32 => {
                let (scale, shift) = (f32::of(scale), f32::of(shift));
                pick::<u8, f32>(xs, indices, move |x| f32::from(x) * scale + shift)
            }
            _ => pick::<u8, f64>(xs, indices, |x| f64::from(x) * scale + shift),
        },
        // Numbers were given the right type when they were loaded.
        same if fused && same == dtype => {
            by_dtype!(xs, T => {
                let (scale, shift) = (T::of(scale), T::of(shift));
                pick::<T, T>(xs, indices, move |x| x * scale + shift)
            })
        }
        _ => plain(xs, indices, scale, shift, dtype),
    }
}

/// The plain twin.
fn plain(xs: &Tensor, indices: &[u32], scale: f64, shift: f64, dtype: DType) -> Result<Tensor> {
    let indices = Tensor::new(indices, xs.device())?;
    xs.index_select(&indices, 0)?.to_dtype(dtype)?.affine(scale, shift)
}

fn pick<S: WithDType, T: Float>(xs: &Tensor, indices: &[u32], convert: impl Fn(S) -> T) -> Result<Tensor> {
    let x = view::<S>(xs)?;
    let mut shape = xs.dims().to_vec();
    let row = xs.elem_count() / shape[0].max(1);
    let mut batch = vec![T::of(0.0); indices.len() * row];
    for (&index, out) in indices.iter().zip(batch.chunks_exact_mut(row.max(1))) {
        let start = index as usize * row;
        let Some(values) = x.get(start..start + row) else {
            candle_core::bail!("row {index} of a data set of {}", shape[0]);
        };
        pulp::Arch::new().dispatch(|| out.iter_mut().zip(values).for_each(|(out, &x)| *out = convert(x)));
    }
    shape[0] = indices.len();
    tensor(batch, shape)
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
