//! A batch from a data set: picks rows and turns them into the training's dtype, normalised on the way.
//!
//! Data that is bytes stays bytes in memory: MNIST takes 47 MB instead of 188.

mod affine;

use candle_core::{DType, Result, Tensor, WithDType};
use num_traits::AsPrimitive;

use super::storage::{Float, edit, view};
use super::vectorized::vectorized;
use super::{by_dtype, cuda, team};
pub use affine::Affine;

/// `xs[indices] · scale + shift` as `dtype`: xs (N, …) of bytes or numbers to (indices, row). If a row has more
/// elements than one of xs, it continues into the following ones: a window of a series. `again` may be a result that is
/// no longer needed: if it fits, it is overwritten, which spares a batch of memory.
pub fn rows(
    xs: &Tensor,
    indices: &[u32],
    row: &[usize],
    affine: Affine,
    dtype: DType,
    again: Option<Tensor>,
) -> Result<Tensor> {
    if cuda_takes(xs, dtype) {
        return rows_there(xs, &there(xs, indices, row)?, row, affine, dtype);
    }
    let fused = xs.device().is_cpu() && matches!(dtype, DType::F32 | DType::F64);
    if !fused || !is_known(xs, dtype) {
        return reference(xs, indices, row, affine, dtype);
    }
    let shape = [&[indices.len()], row].concat();
    let fitting = again.filter(|again| again.dims() == shape && again.dtype() == dtype);
    let batch = fitting.map_or_else(|| Tensor::zeros(shape, dtype, xs.device()), Ok)?;
    // Numbers were given the right type when they were loaded.
    match (xs.dtype(), dtype) {
        (DType::U8, DType::F32) => pick::<u8, f32>(xs, indices, affine, &batch),
        (DType::U8, _) => pick::<u8, f64>(xs, indices, affine, &batch),
        _ => by_dtype!(xs, T => pick::<T, T>(xs, indices, affine, &batch)),
    }?;
    Ok(batch)
}

/// Whether the data is bytes, or has the batch's own type.
fn is_known(xs: &Tensor, dtype: DType) -> bool {
    xs.dtype() == DType::U8 || xs.dtype() == dtype
}

/// Whether rows of these data are picked by a kernel on a GPU.
pub fn cuda_takes(xs: &Tensor, dtype: DType) -> bool {
    xs.device().is_cuda() && is_known(xs, dtype) && matches!(dtype, DType::F32 | DType::F64)
}

/// The numbers of rows where the data is, for [`rows_there`]. Each is sure to have all of its numbers.
pub fn there(xs: &Tensor, indices: &[u32], row: &[usize]) -> Result<Tensor> {
    let (count, width) = (xs.dims()[0], row.iter().product::<usize>());
    let stride = xs.elem_count() / count.max(1);
    match indices.iter().find(|index| **index as usize * stride + width > xs.elem_count()) {
        Some(index) => candle_core::bail!("row {index} of a data set of {count}"),
        None => Tensor::new(indices, xs.device()),
    }
}

/// As [`rows`], on a GPU that has the rows' numbers.
pub fn rows_there(
    xs: &Tensor,
    indices: &Tensor,
    row: &[usize],
    affine: Affine,
    dtype: DType,
) -> Result<Tensor> {
    cuda::gather::rows(xs, indices, row, affine, dtype)
}

/// `ys[indices]`: class numbers (N) as I64.
pub fn classes(ys: &Tensor, indices: &[u32]) -> Result<Tensor> {
    if !ys.device().is_cpu() {
        return ys.index_select(&Tensor::new(indices, ys.device())?, 0);
    }
    let y = view::<i64>(ys)?;
    let picked: Option<Vec<i64>> = indices.iter().map(|&index| y.get(index as usize).copied()).collect();
    match picked {
        Some(picked) => Tensor::from_vec(picked, indices.len(), ys.device()),
        None => candle_core::bail!("a row beyond the {} of a data set", y.len()),
    }
}

/// The reference implementation, in tensor operations.
pub fn reference(
    xs: &Tensor,
    indices: &[u32],
    row: &[usize],
    affine: Affine,
    dtype: DType,
) -> Result<Tensor> {
    let own = (xs.elem_count() / xs.dims()[0].max(1)).max(1);
    let steps = u32::try_from(row.iter().product::<usize>() / own).unwrap_or(u32::MAX);
    let all: Vec<u32> = indices.iter().flat_map(|index| *index..index.saturating_add(steps)).collect();
    let picked = xs.index_select(&Tensor::new(all, xs.device())?, 0)?;
    picked.to_dtype(dtype)?.affine(affine.scale, affine.shift)?.reshape([&[indices.len()], row].concat())
}

/// Elements that one thread takes at a time.
const CHUNK: usize = 1 << 12;

fn pick<S: WithDType + AsPrimitive<T>, T: Float>(
    xs: &Tensor,
    indices: &[u32],
    affine: Affine,
    batch: &Tensor,
) -> Result<()> {
    let x = view::<S>(xs)?;
    let count = xs.dims()[0];
    let stride = xs.elem_count() / count.max(1);
    let row = (batch.elem_count() / indices.len().max(1)).max(1);
    let together = (CHUNK / row).max(1);
    edit(batch, |batch| {
        let chunks = indices.chunks(together).zip(batch.chunks_mut(together * row)).collect();
        team::try_for_each(chunks, |(indices, batch): (&[u32], &mut [T])| {
            for (&index, out) in indices.iter().zip(batch.chunks_exact_mut(row)) {
                let start = index as usize * stride;
                let Some(values) = x.get(start..start + row) else {
                    candle_core::bail!("row {index} of a data set of {count}");
                };
                convert(out, values, T::of(affine.scale), T::of(affine.shift));
            }
            Ok(())
        })
    })?
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
    fn rows_match_the_reference() {
        let bytes = Tensor::new(&[[0u8, 255], [51, 102], [7, 9]], &Device::Cpu).unwrap();
        let affine = Affine { scale: 1.0 / 255.0, shift: -0.5 };
        for dtype in [DType::F32, DType::F64] {
            for xs in [&bytes, &bytes.to_dtype(dtype).unwrap()] {
                let again = rows(xs, &[1, 1, 0], &[2], Affine::IDENTITY, dtype, None).unwrap();
                let picked = rows(xs, &[2, 0, 2], &[2], affine, dtype, Some(again)).unwrap();
                let expected = reference(xs, &[2, 0, 2], &[2], affine, dtype).unwrap();
                assert_eq!(picked.dims(), [3, 2]);
                let off = (picked - expected).unwrap().abs().unwrap().max_all().unwrap();
                assert!(off.to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap() < 1e-7);
            }
        }
        assert!(rows(&bytes, &[3], &[2], Affine::IDENTITY, DType::F32, None).is_err());
        // Windows of two steps; the last one would go beyond the end.
        let series = Tensor::new(&[[1f32, 2.0], [3.0, 4.0], [5.0, 6.0]], &Device::Cpu).unwrap();
        let windows = rows(&series, &[1, 0], &[2, 2], Affine::IDENTITY, DType::F32, None).unwrap();
        assert_eq!(windows.to_vec3::<f32>().unwrap(), [[[3.0, 4.0], [5.0, 6.0]], [[1.0, 2.0], [3.0, 4.0]]]);
        let expected = reference(&series, &[1, 0], &[2, 2], Affine::IDENTITY, DType::F32).unwrap();
        assert_eq!(windows.to_vec3::<f32>().unwrap(), expected.to_vec3::<f32>().unwrap());
        assert!(rows(&series, &[2], &[2, 2], Affine::IDENTITY, DType::F32, None).is_err());
        let ys = Tensor::new(&[4i64, 5, 6], &Device::Cpu).unwrap();
        assert_eq!(classes(&ys, &[2, 0]).unwrap().to_vec1::<i64>().unwrap(), [6, 4]);
        assert!(classes(&ys, &[3]).is_err());
    }
}
