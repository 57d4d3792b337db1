//! Linear interpolation in place, which moves an average of weights: `torch.lerp`,
//! <https://docs.pytorch.org/docs/stable/generated/torch.lerp.html>.

use candle_core::{Result, Tensor, bail};

use super::cuda::{self, SkipFlag};
use super::storage::{Float, edit, view};
use super::vectorized::vectorized;
use super::{by_dtype, is_fused, team};

/// So few elements are worked on by one thread.
const CHUNK: usize = 1 << 14;

/// `start ← start + weight · (end - start)`, in place on the CPU. Tensors that share the storage of `start` change too.
///
/// # Errors
/// Shapes that differ.
pub fn assign(start: &mut Tensor, end: &Tensor, weight: f64) -> Result<()> {
    check(start, end)?;
    if !is_fused(start) || !start.is_contiguous() || !end.is_contiguous() {
        *start = reference(start, end, weight)?;
        return Ok(());
    }
    by_dtype!(start, T => {
        let end = view::<T>(end)?;
        edit::<T, _>(start, |start| {
            let chunks = start.chunks_mut(CHUNK).zip(end.chunks(CHUNK));
            team::for_each(chunks.collect(), |(start, end)| lerp(start, end, T::of(weight)));
        })
    })
}

/// The same on a GPU, with an update that is queued: nothing happens where that is skipped.
///
/// # Errors
/// Shapes that differ.
pub fn assign_unless_skipped(start: &Tensor, end: &Tensor, weight: f64, flag: SkipFlag<'_>) -> Result<()> {
    check(start, end)?;
    cuda::lerp::assign(start, end, weight, flag)
}

fn check(start: &Tensor, end: &Tensor) -> Result<()> {
    if start.dims() != end.dims() || start.dtype() != end.dtype() {
        bail!("lerp of {:?} and {:?}", start.shape(), end.shape());
    }
    Ok(())
}

/// The reference implementation.
pub fn reference(start: &Tensor, end: &Tensor, weight: f64) -> Result<Tensor> {
    start + ((end - start)? * weight)?
}

vectorized! {
    fn lerp[T: Float](start: &mut [T], end: &[T], weight: T) {
        for (start, end) in start.iter_mut().zip(end) {
            *start += (*end - *start) * weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    #[test]
    fn it_has_the_bits_of_the_reference() {
        for (count, dtype) in [(1, DType::F32), (33, DType::F64), (40_000, DType::F32)] {
            let random =
                |mean| Tensor::randn(mean, 1.0, count, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
            let (mut start, end) = (random(0.0), random(3.0));
            let expected = reference(&start, &end, 0.3).unwrap();
            assign(&mut start, &end, 0.3).unwrap();
            let wide = |tensor: Tensor| tensor.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
            assert_eq!(wide(start), wide(expected));
        }
        let (mut two, three) = (Tensor::new(&[1.0, 2.0], &Device::Cpu), Tensor::new(&[1.0; 3], &Device::Cpu));
        assert!(assign(two.as_mut().unwrap(), three.as_ref().unwrap(), 0.5).is_err());
    }
}
