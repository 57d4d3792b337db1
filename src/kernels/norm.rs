//! Sums over gradients.

use candle_core::{DType, Result, Tensor};

use super::storage::{Float, view};
// The chunk size of an update, so that both jobs divide a parameter alike.
use super::update::CHUNK;
use super::vectorized::vectorized;
use super::{by_dtype, is_fused, team};

/// The sum of the squares of all elements of some tensors, in f64.
pub fn sum_of_squares(tensors: &[&Tensor]) -> Result<f64> {
    let reference = |xs: &Tensor| xs.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>();
    let Some(first) = first_if_fused(tensors) else { return tensors.iter().map(|xs| reference(xs)).sum() };
    by_dtype!(first, T => Ok(of_chunks::<T, _>(tensors, squares)?.iter().sum()))
}

/// The Euclidean norm of all elements of some tensors, to six digits at least: squares of f32 are added up eight at a time in f32,
/// by eight roundings of 2⁻²⁴ each, which takes half as long as in f64 throughout. [`sum_of_squares`] has all digits.
pub fn euclidean_norm(tensors: &[&Tensor]) -> Result<f64> {
    /// Sums of squares of which eight do not overflow, and those below the smallest normal number do not count. Others are
    /// formed again in f64.
    const RANGE: std::ops::Range<f64> = 1e-12..1e30;
    if let Some(first) = first_if_fused(tensors) {
        let sum: f64 = by_dtype!(first, T => of_chunks::<T, _>(tensors, short_sums)?.iter().sum());
        if RANGE.contains(&sum) {
            return Ok(sum.sqrt());
        }
    }
    Ok(sum_of_squares(tensors)?.sqrt())
}

/// Whether no element of some tensors is NaN or infinite.
pub fn all_finite(tensors: &[&Tensor]) -> Result<bool> {
    // Non-finite x gives `0 · x = NaN`, which propagates through the sum.
    let zero = |xs: &Tensor| (xs.to_dtype(DType::F64)? * 0.0)?.sum_all()?.to_scalar::<f64>();
    let Some(first) = first_if_fused(tensors) else {
        return Ok(tensors.iter().map(|xs| zero(xs)).sum::<Result<f64>>()? == 0.0);
    };
    by_dtype!(first, T => Ok(of_chunks::<T, _>(tensors, is_finite)?.iter().all(|finite| *finite)))
}

/// The first of the tensors, if the fused kernels run on all of them and all have its type.
fn first_if_fused<'a>(tensors: &[&'a Tensor]) -> Option<&'a Tensor> {
    let is_alike = |first: &Tensor, xs: &Tensor| is_fused(xs) && xs.dtype() == first.dtype();
    tensors.first().copied().filter(|first| tensors.iter().all(|xs| is_alike(first, xs)))
}

vectorized! {
    fn is_finite[T: Float](x: &[T]) -> bool {
        // Times 0 it is 0, or NaN: without a branch for each element.
        const LANES: usize = 32;
        let mut sums = [T::of(0.0); LANES];
        let mut chunks = x.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += *x * T::of(0.0);
            }
        }
        let rest = chunks.remainder().iter().all(|x| x.is_finite());
        rest && sums.iter().all(|sum| *sum == T::of(0.0))
    }
}

/// The sum of the absolute values, rounded: for a bound. NaN or infinite where an element is.
pub fn sum_of_magnitudes(xs: &Tensor) -> Result<f64> {
    if !is_fused(xs) {
        return xs.to_dtype(DType::F64)?.abs()?.sum_all()?.to_scalar();
    }
    by_dtype!(xs, T => Ok(of_chunks::<T, _>(&[xs], magnitudes)?.iter().sum()))
}

vectorized! {
    fn magnitudes[T: Float](x: &[T]) -> f64 {
        const LANES: usize = 64;
        let mut sums = [T::of(0.0); LANES];
        let mut chunks = x.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += x.abs();
            }
        }
        sums.iter().chain(chunks.remainder()).map(|x| x.abs().wide()).sum()
    }
}

/// The results of `f` for each chunk of some tensors. They may be views of one gradient buffer, whose lock is then held for reading
/// several times at once: nothing may write to them meanwhile.
fn of_chunks<T: Float, R: Send>(tensors: &[&Tensor], f: impl Fn(&[T]) -> R + Sync) -> Result<Vec<R>> {
    let views = tensors.iter().map(|xs| view::<T>(xs)).collect::<Result<Vec<_>>>()?;
    let slices = views.iter().map(|xs| &xs[..]);
    if slices.clone().map(<[T]>::len).sum::<usize>() <= CHUNK {
        // Nothing to share, and no time to sort.
        return Ok(slices.map(f).collect());
    }
    let pieces = pieces(by_relative_position(slices));
    Ok(team::map(pieces, |chunks| chunks.into_iter().map(&f).collect::<Vec<R>>())
        .into_iter()
        .flatten()
        .collect())
}

/// The chunks of all slices, ordered by their positions as fractions of their slice. A thread's share of a job is a run of
/// neighbours, so in this order it reads the part of each gradient that it has computed and will update, from its own cache. In
/// another order it would fetch those lines from another core, which would need them back for the next gradient.
fn by_relative_position<'a, T>(slices: impl Iterator<Item = &'a [T]>) -> Vec<&'a [T]> {
    #[allow(clippy::cast_precision_loss, reason = "a position in memory")]
    let position = |start: usize, chunk: &[T], whole: &[T]| {
        (start as f64 + chunk.len() as f64 / 2.0) / whole.len() as f64
    };
    let positioned = |whole: &'a [T]| {
        let starts = (0..whole.len()).step_by(CHUNK);
        starts.zip(whole.chunks(CHUNK)).map(move |(start, chunk)| (position(start, chunk, whole), chunk))
    };
    let mut chunks: Vec<(f64, &[T])> = slices.flat_map(positioned).collect();
    chunks.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    chunks.into_iter().map(|(_, chunk)| chunk).collect()
}

/// Neighbouring chunks in pieces of at least [`CHUNK`] elements but for the last: shares are of equal numbers of pieces, and the
/// many small gradients of biases are not worth one each.
fn pieces<T>(chunks: Vec<&[T]>) -> Vec<Vec<&[T]>> {
    let mut pieces: Vec<Vec<&[T]>> = Vec::new();
    let mut elements = 0;
    for chunk in chunks {
        match pieces.last_mut() {
            Some(piece) if elements < CHUNK => piece.push(chunk),
            _ => {
                pieces.push(vec![chunk]);
                elements = 0;
            }
        }
        elements += chunk.len();
    }
    pieces
}

vectorized! {
    fn squares[T: Float](x: &[T]) -> f64 {
        // Running sums fill the vector registers; their number is fixed, so the result is too.
        const LANES: usize = 32;
        let mut sums = [0.0; LANES];
        let mut chunks = x.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += x.wide() * x.wide();
            }
        }
        let rest: f64 = chunks.remainder().iter().map(|x| x.wide() * x.wide()).sum();
        sums.iter().sum::<f64>() + rest
    }
}

vectorized! {
    /// As [`squares`], with short sums in the elements' own type.
    fn short_sums[T: Float](x: &[T]) -> f64 {
        const LANES: usize = 64;
        const ROWS: usize = 8;
        let mut total = [0.0; LANES];
        let mut blocks = x.chunks_exact(ROWS * LANES);
        for block in &mut blocks {
            let mut sums = [T::of(0.0); LANES];
            for row in block.chunks_exact(LANES) {
                for (sum, x) in sums.iter_mut().zip(row) {
                    *sum += *x * *x;
                }
            }
            for (total, sum) in total.iter_mut().zip(&sums) {
                *total += sum.wide();
            }
        }
        let rest: f64 = blocks.remainder().iter().map(|x| x.wide() * x.wide()).sum();
        total.iter().sum::<f64>() + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn one_element_that_is_not_finite_is_found_anywhere() {
        for n in [1usize, 31, 32, 100, 70_000] {
            let xs = Tensor::full(3e38f32, n, &Device::Cpu).unwrap();
            assert!(all_finite(&[&xs]).unwrap());
            for (place, bad) in [(0, f32::NAN), (n / 2, f32::INFINITY), (n - 1, f32::NEG_INFINITY)] {
                let mut elements = xs.to_vec1::<f32>().unwrap();
                elements[place] = bad;
                let bad = Tensor::new(elements, &Device::Cpu).unwrap();
                assert!(!all_finite(&[&bad]).unwrap());
                assert!(!sum_of_magnitudes(&bad).unwrap().is_finite());
            }
        }
    }

    #[test]
    fn a_norm_has_six_digits_at_any_size() {
        let draws = crate::kernels::draws::Draws::new(1);
        for n in [1usize, 511, 512, 70_001] {
            let drawn = draws.normal(n, 1.0);
            for size in [1e-30, 1e-9, 1.0, 1e12, 1e30] {
                let xs = (&drawn * size).unwrap().to_dtype(DType::F32).unwrap();
                let expected = sum_of_squares(&[&xs]).unwrap().sqrt();
                let off = (euclidean_norm(&[&xs]).unwrap() / expected - 1.0).abs();
                assert!(off < 1e-6, "{n} {size}: {off}");
            }
        }
        let zero = Tensor::zeros(1000, DType::F32, &Device::Cpu).unwrap();
        assert!(euclidean_norm(&[&zero]).unwrap().abs() < 1e-300);
        let nan = Tensor::full(f32::NAN, 1000, &Device::Cpu).unwrap();
        assert!(euclidean_norm(&[&nan]).unwrap().is_nan());
    }

    #[test]
    fn chunks_of_several_tensors_are_ordered_by_position_and_small_ones_join() {
        let [long, short, small] = [vec![1.0f32; 4 * CHUNK], vec![2.0; CHUNK + 2], vec![3.0; 3]];
        let chunks = by_relative_position([&long[..], &short, &small, &[]].into_iter());
        let heads: Vec<(f32, usize)> = chunks.iter().map(|chunk| (chunk[0], chunk.len())).collect();
        // Middles at 1/8, 3/8, nearly 1/2, 1/2, 5/8, 7/8 and nearly 1.
        let expected =
            [(1.0, CHUNK), (1.0, CHUNK), (2.0, CHUNK), (3.0, 3), (1.0, CHUNK), (1.0, CHUNK), (2.0, 2)];
        assert_eq!(heads, expected);
        let counts: Vec<usize> = pieces(chunks).iter().map(Vec::len).collect();
        assert_eq!(counts, [1, 1, 1, 2, 1, 1]);
        assert!(pieces::<f32>(Vec::new()).is_empty());
    }

    #[test]
    fn all_tensors_count() {
        let ones = |n: usize| Tensor::ones(n, DType::F64, &Device::Cpu).unwrap();
        let (long, short) = (ones(50_000), ones(14_000));
        let both = [&long, &short];
        assert!((sum_of_squares(&both).unwrap() - 64_000.0).abs() < 1e-9);
        let norm =
            euclidean_norm(&[&long.to_dtype(DType::F32).unwrap(), &short.to_dtype(DType::F32).unwrap()]);
        assert!((norm.unwrap() / 64_000f64.sqrt() - 1.0).abs() < 1e-6);
        assert!(all_finite(&both).unwrap());
        let nan = Tensor::full(f64::NAN, 3, &Device::Cpu).unwrap();
        assert!(!all_finite(&[&long, &nan]).unwrap());
        // The reference implementation runs where one of them has no fused kernel, or another type.
        for other in [DType::BF16, DType::F32].map(|dtype| nan.to_dtype(dtype).unwrap()) {
            assert!(!all_finite(&[&long, &other]).unwrap());
            assert!(sum_of_squares(&[&long, &other]).unwrap().is_nan());
            assert!(euclidean_norm(&[&long, &other]).unwrap().is_nan());
        }
        assert!(sum_of_squares(&[]).unwrap().abs() < 1e-300 && all_finite(&[]).unwrap());
    }

    #[test]
    fn every_element_counts_once() {
        for n in [1usize, 15, 16, 100] {
            let xs = Tensor::full(2f32, n, &Device::Cpu).unwrap();
            let expected = 4.0 * f64::from(u32::try_from(n).unwrap());
            assert!((sum_of_squares(&[&xs]).unwrap() - expected).abs() < 1e-9);
            assert!((sum_of_magnitudes(&xs.neg().unwrap()).unwrap() - expected / 2.0).abs() < 1e-9);
        }
    }
}
