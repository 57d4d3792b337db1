//! Dropout: Srivastava et al. 2014. The mask is a function of a random stream and the element's position, so that it
//! is the same on every device, for any number of threads, and for a batch taken in parts.

use candle_core::{Result, Tensor};

use super::buffers::{chunk_lengths, filled};
use super::recurrent::swap_batch_and_time;
use super::storage::{Float, tensor, view};
use super::vectorized::vectorized;
use super::{by_dtype, cuda, is_fused};
use crate::rng::{LANES, Stream};

/// The draw of a mask.
#[derive(Debug, Clone, Copy)]
pub struct DropoutDraw<'a> {
    /// The probability to be dropped, 0 to 1.
    pub p: f64,
    /// The words that decide, read row by row, even if the rows are the second dimension.
    pub stream: &'a Stream,
    /// The position in the stream of the first element.
    pub first: u64,
    /// On a GPU the stream may be that of the step that is read here.
    pub step_counter: Option<&'a Tensor>,
}

/// The value of dropout, and the mask that takes a gradient back through it.
#[derive(Debug, Clone)]
pub struct DropoutOutput {
    /// `xs · mask`.
    pub ys: Tensor,
    /// As [`mask`].
    pub mask: Tensor,
}

/// Drops elements of xs, (N, C) or (T, N, C): [`apply`] with a new [`mask`]. One pass does both where the mask is drawn in xs' order and
/// begins with a block of the stream, which has four words.
pub fn forward(xs: &Tensor, draw: DropoutDraw<'_>) -> Result<DropoutOutput> {
    let DropoutDraw { p, stream, first, .. } = draw;
    if !is_fused(xs) || xs.rank() != 2 || !first.is_multiple_of(4) {
        let mask = mask(xs, draw)?;
        return Ok(DropoutOutput { ys: apply(xs, &mask)?, mask });
    }
    let MaskRule { dropped, kept } = MaskRule::of(p);
    by_dtype!(xs, T => {
        let x = view::<T>(xs)?;
        let chunks = x.chunks(CHUNK).zip((first / 4..).step_by(CHUNK / 4));
        let chunks = chunks.map(|(x, block)| (x.len(), (x, block)));
        let [ys, mask] = filled(chunks, |(x, block), [ys, mask]: [&mut [T]; 2]| {
            threshold(mask, stream, block, dropped, T::of(kept));
            multiply(ys, x, mask);
        });
        Ok(DropoutOutput { ys: tensor(ys, xs.shape())?, mask: tensor(mask, xs.shape())? })
    })
}

/// The rule by which a word of a stream drops or keeps an element.
struct MaskRule {
    /// An element is dropped where its word is smaller.
    dropped: u64,
    /// The factor of an element that is kept.
    kept: f64,
}

impl MaskRule {
    fn of(p: f64) -> Self {
        // With p = 1 nothing is kept, and torch gives zeros, not 0 · ∞.
        let kept = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
        // A word is kept with probability 1 - p, to 32 bits.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ≤ p ≤ 1")]
        let dropped = (p * 2f64.powi(32)).round() as u64;
        Self { dropped, kept }
    }
}

/// The mask for the elements of xs, (N, C) or (T, N, C): `1 / (1 - p)` where an element is kept, 0 where it is dropped.
pub fn mask(xs: &Tensor, DropoutDraw { p, stream, first, step_counter }: DropoutDraw<'_>) -> Result<Tensor> {
    let MaskRule { dropped, kept } = MaskRule::of(p);
    let (steps, rows, width) = match *xs.dims() {
        [rows, width] => (1, rows, width),
        _ => xs.dims3()?,
    };
    if cuda::runs_on(xs) {
        let (shape, source) = ([steps, rows, width], stream.source());
        let draw = cuda::dropout::Draw { shape, source, step_counter, first, dropped, kept };
        return cuda::dropout::mask(xs, draw)?.reshape(xs.shape());
    }
    let by_row = |count| -> Result<Tensor> {
        if is_fused(xs) {
            return by_dtype!(xs, T => tensor(draw::<T>(count, dropped, kept, stream, first), count));
        }
        let mask = tensor(draw::<f32>(count, dropped, kept, stream, first), count)?;
        mask.to_device(xs.device())?.to_dtype(xs.dtype())
    };
    let mask = by_row(xs.elem_count())?;
    if xs.rank() == 2 {
        return mask.reshape(xs.shape());
    }
    swap_batch_and_time(&mask.reshape((rows, steps, width))?)
}

/// Elements that one thread takes at a time, a multiple of a block of the stream.
const CHUNK: usize = 1 << 12;

fn draw<T: Float>(count: usize, dropped: u64, scale: f64, stream: &Stream, first: u64) -> Vec<T> {
    let lead = usize::try_from(first % 4).unwrap_or(0);
    let chunks = chunk_lengths(lead + count, CHUNK).zip((first / 4..).step_by(CHUNK / 4));
    let [mut mask] = filled(chunks, |block, [mask]| threshold(mask, stream, block, dropped, T::of(scale)));
    mask.drain(..lead);
    mask
}

vectorized! {
    /// Puts `kept` where a word of the stream, from a block on, is not below `dropped`.
    fn threshold[T: Float](mask: &mut [T], stream: &Stream, first: u64, dropped: u64, kept: T) {
        for (mask, blocks) in mask.chunks_mut(4 * LANES).zip((first..).step_by(LANES)) {
            let words = stream.blocks::<LANES>(blocks);
            for (mask, word) in mask.iter_mut().zip(words.as_flattened()) {
                *mask = if u64::from(*word) < dropped { T::of(0.0) } else { kept };
            }
        }
    }
}

/// `xs · mask`: the forward pass, and with the gradient for `xs` the backward pass.
pub fn apply(xs: &Tensor, mask: &Tensor) -> Result<Tensor> {
    if !is_fused(xs) {
        return xs.mul(mask);
    }
    by_dtype!(xs, T => {
        let (x, mask) = (view::<T>(xs)?, view::<T>(mask)?);
        let chunks = x.chunks(CHUNK).zip(mask.chunks(CHUNK)).map(|(x, mask)| (x.len(), (x, mask)));
        let [ys] = filled(chunks, |(x, mask), [ys]: [&mut [T]; 1]| multiply(ys, x, mask));
        tensor(ys, xs.shape())
    })
}

vectorized! {
    fn multiply[T: Float](ys: &mut [T], x: &[T], mask: &[T]) {
        for ((y, &x), &mask) in ys.iter_mut().zip(x).zip(mask) {
            *y = x * mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;
    use candle_core::{DType, Device};

    fn draw_mask(rows: usize, p: f64, first: u64) -> Vec<f32> {
        let xs = Tensor::ones((rows, 3), DType::F32, &Device::Cpu).unwrap();
        let stream = Stream::new(1, Purpose::Dropout, 0);
        let draw = DropoutDraw { p, stream: &stream, first, step_counter: None };
        mask(&xs, draw).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn the_kept_are_scaled_and_their_share_is_right() {
        let mask = draw_mask(20_000, 0.3, 0);
        let kept = mask.iter().filter(|m| **m > 0.0).count();
        assert!(mask.iter().all(|m| *m == 0.0 || (m - 1.0 / 0.7).abs() < 1e-6));
        // Five standard deviations of a binomial.
        assert!(
            (f64::from(u32::try_from(kept).unwrap()) / 60_000.0 - 0.7).abs()
                < 5.0 * (0.21f64 / 60_000.0).sqrt()
        );
        assert!(draw_mask(5, 0.0, 0).iter().all(|m| (m - 1.0).abs() < 1e-9));
        assert!(draw_mask(5, 1.0, 0).iter().all(|m| *m == 0.0));
    }

    #[test]
    fn every_chunk_is_multiplied_by_its_own_mask() {
        let xs = Tensor::arange(0f64, 3.0 * 5000.0, &Device::Cpu).unwrap().reshape((5000, 3)).unwrap();
        let stream = Stream::new(1, Purpose::Dropout, 0);
        let draw = DropoutDraw { p: 0.3, stream: &stream, first: 0, step_counter: None };
        let mask = mask(&xs, draw).unwrap();
        let off = (apply(&xs, &mask).unwrap() - (&xs * &mask).unwrap()).unwrap().abs().unwrap();
        assert!(off.max_all().unwrap().to_scalar::<f64>().unwrap() < 1e-12);
    }

    #[test]
    fn drawn_and_applied_at_once_it_is_the_same() {
        let stream = Stream::new(1, Purpose::Dropout, 0);
        for (shape, first) in [((5000, 3), 0), ((5000, 3), 8), ((7, 3), 6), ((1, 1), 4)] {
            let xs = Tensor::arange(0f64, 15000.0, &Device::Cpu).unwrap();
            let xs = xs.narrow(0, 0, shape.0 * shape.1).unwrap().reshape(shape).unwrap();
            let draw = DropoutDraw { p: 0.3, stream: &stream, first, step_counter: None };
            let DropoutOutput { ys, mask } = forward(&xs, draw).unwrap();
            let expected = super::mask(&xs, draw).unwrap();
            let numbers = |of: &Tensor| of.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            assert_eq!(numbers(&mask), numbers(&expected));
            assert_eq!(numbers(&ys), numbers(&apply(&xs, &expected).unwrap()));
        }
    }

    #[test]
    fn a_batch_in_parts_has_the_mask_of_the_whole() {
        let whole = draw_mask(7, 0.5, 0);
        for cut in 0..7 {
            let parts = [draw_mask(cut, 0.5, 0), draw_mask(7 - cut, 0.5, cut as u64 * 3)].concat();
            assert_eq!(parts, whole);
        }
    }
}
