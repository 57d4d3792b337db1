//! New buffers that the threads zero and fill chunk by chunk, where a chunk may also be some rows at each step of a sequence: it
//! stays in the cache of the thread that computes it. Where one thread zeroed a whole buffer, the others would wait for it, and
//! then fetch their chunks from its cache.
#![allow(unsafe_code, reason = "buffers are initialised chunk by chunk")]

use std::mem::MaybeUninit;

use candle_core::Result;

use super::storage::Float;
use super::team;

/// The elements of a chunk, where nothing else decides.
pub(super) const CHUNK: usize = 1 << 13;

/// New buffers, and the result of each chunk in the chunks' order.
pub(super) struct FilledBuffers<T, R, const N: usize> {
    pub(super) buffers: [Vec<T>; N],
    pub(super) results: Vec<R>,
}

/// The lengths of a buffer's chunks, of which the last may be shorter.
pub(super) fn chunk_lengths(length: usize, chunk: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(chunk).map(move |start| chunk.min(length - start))
}

/// `N` buffers of one length. Each item is the length of a chunk and its input; `fill` is called with the input and the zeroed
/// chunk of each buffer.
pub(super) fn filled<T: Float, P: Send, const N: usize>(
    chunks: impl IntoIterator<Item = (usize, P)>,
    fill: impl Fn(P, [&mut [T]; N]) + Sync,
) -> [Vec<T>; N] {
    filled_with_results(chunks, fill).buffers
}

/// As [`filled`], with what `fill` returns.
pub(super) fn filled_with_results<T: Float, P: Send, R: Send, const N: usize>(
    chunks: impl IntoIterator<Item = (usize, P)>,
    fill: impl Fn(P, [&mut [T]; N]) -> R + Sync,
) -> FilledBuffers<T, R, N> {
    let chunks: Vec<(usize, P)> = chunks.into_iter().collect();
    let length = chunks.iter().map(|(length, _)| length).sum();
    let mut buffers: [Vec<T>; N] = std::array::from_fn(|_| Vec::with_capacity(length));
    let mut rest = buffers.each_mut().map(|buffer| &mut buffer.spare_capacity_mut()[..length]);
    let chunks = chunks.into_iter().map(|(length, input)| {
        let parts = rest.each_mut().map(|rest| rest.split_off_mut(..length).unwrap_or_default());
        (input, parts)
    });
    let results = team::map(chunks.collect(), |(input, parts)| fill(input, parts.map(zeroed)));
    // The lengths' sum cannot overflow where the inputs are slices in memory.
    assert!(rest.iter().all(|rest| rest.is_empty()), "the chunks cover the buffers");
    for buffer in &mut buffers {
        // SAFETY: the chunks are disjoint and cover all `length` elements of every buffer; each was zeroed, since `map` calls its
        // function for every chunk, and does not return where a call panicked.
        unsafe { buffer.set_len(length) };
    }
    FilledBuffers { buffers, results }
}

/// As [`filled`], but each piece fills one chunk of every buffer in each of `rounds` rounds; a round's chunks lie in the order of
/// the pieces. `lengths` has for each piece the length of its chunks in each buffer. So the rows that a thread takes through all
/// steps of a sequence are zeroed by that thread.
///
/// # Errors
/// That of a piece that failed.
pub(super) fn filled_in_rounds<T: Float, P: Send, R: Send, const N: usize>(
    rounds: usize,
    lengths: &[[usize; N]],
    pieces: Vec<P>,
    fill: impl Fn(P, [Vec<&mut [T]>; N]) -> Result<R> + Sync,
) -> Result<FilledBuffers<T, R, N>> {
    assert_eq!(lengths.len(), pieces.len(), "each piece has the lengths of its chunks");
    let totals: [usize; N] = std::array::from_fn(|buffer| {
        let round: usize = lengths.iter().map(|lengths| lengths[buffer]).sum();
        rounds * round
    });
    let mut buffers: [Vec<T>; N] = totals.map(Vec::with_capacity);
    let mut parts: Vec<[Vec<_>; N]> =
        lengths.iter().map(|_| std::array::from_fn(|_| Vec::with_capacity(rounds))).collect();
    for (index, (buffer, total)) in buffers.iter_mut().zip(totals).enumerate() {
        let mut rest = &mut buffer.spare_capacity_mut()[..total];
        for _ in 0..rounds {
            for (part, lengths) in parts.iter_mut().zip(lengths) {
                part[index].push(rest.split_off_mut(..lengths[index]).unwrap_or_default());
            }
        }
        assert!(rest.is_empty(), "the chunks cover the buffer");
    }
    let zeroed = |chunks: Vec<_>| chunks.into_iter().map(zeroed).collect();
    let pieces = pieces.into_iter().zip(parts).collect();
    let results = team::map(pieces, |(piece, parts)| fill(piece, parts.map(zeroed)));
    for (buffer, total) in buffers.iter_mut().zip(totals) {
        // SAFETY: the chunks are disjoint and cover all `total` elements, as asserted; `map` has called its function for every
        // piece, which zeroes all of the piece's chunks before `fill` sees them.
        unsafe { buffer.set_len(total) };
    }
    let results = results.into_iter().collect::<Result<_>>()?;
    Ok(FilledBuffers { buffers, results })
}

/// Zeroes a chunk.
fn zeroed<T: Float>(chunk: &mut [MaybeUninit<T>]) -> &mut [T] {
    chunk.fill(MaybeUninit::new(T::of(0.0)));
    // SAFETY: every element was written.
    unsafe { chunk.assume_init_mut() }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_piece_fills_its_chunk_of_every_round() {
        // Memory that is used again holds what was there: vectors of the sizes of the two buffers.
        drop((vec![1.0f64; 6], vec![1.0f64; 10]));
        let lengths = [[2, 3], [1, 0], [0, 2]];
        let fill = |piece: usize, [left, right]: [Vec<&mut [f64]>; 2]| {
            for (round, chunk) in left.into_iter().chain(right).enumerate() {
                assert!(chunk.iter().all(|x| *x == 0.0));
                chunk.fill(f64::from(u32::try_from(10 * piece + round).unwrap()));
            }
            Ok(piece)
        };
        let FilledBuffers { buffers: [left, right], results } =
            filled_in_rounds(2, &lengths, vec![1, 2, 3], fill).unwrap();
        assert_eq!(results, [1, 2, 3]);
        assert_eq!(left, [10.0, 10.0, 20.0, 11.0, 11.0, 21.0]);
        assert_eq!(right, [12.0, 12.0, 12.0, 32.0, 32.0, 13.0, 13.0, 13.0, 33.0, 33.0]);
        let none = filled_in_rounds(0, &[[5]], vec![()], |(), _: [Vec<&mut [f32]>; 1]| Ok(())).unwrap();
        assert!(none.buffers[0].is_empty());
    }

    #[test]
    fn the_error_of_a_piece_is_that_of_the_buffers() {
        let fill = |piece: usize, _: [Vec<&mut [f32]>; 1]| {
            if piece == 1 {
                candle_core::bail!("as it should")
            }
            Ok(())
        };
        assert!(filled_in_rounds(3, &[[4], [4], [4]], vec![0, 1, 2], fill).is_err());
    }

    #[test]
    fn chunks_are_filled_in_their_order_in_each_buffer() {
        let lengths = [3usize, 0, 70_000, 1];
        drop([(); 2].map(|()| vec![1.0f64; 70_004]));
        let inputs = lengths.into_iter().zip([1.0f64, 2.0, 3.0, 4.0]);
        let FilledBuffers { buffers: [plus, minus], results } =
            filled_with_results(inputs, |sign, [plus, minus]: [&mut [f64]; 2]| {
                assert!(plus.iter().chain(&*minus).all(|x| *x == 0.0));
                plus.fill(sign);
                minus.fill(-sign);
                plus.len()
            });
        assert_eq!(results, lengths);
        let expected = [vec![1.0; 3], vec![3.0; 70_000], vec![4.0]].concat();
        assert_eq!(plus, expected);
        assert_eq!(minus, expected.iter().map(|x| -x).collect::<Vec<_>>());
    }

    #[test]
    fn no_chunks_make_empty_buffers() {
        let [empty] = filled(None::<(usize, ())>, |(), _: [&mut [f32]; 1]| ());
        assert!(empty.is_empty());
    }

    #[test]
    fn a_panic_in_a_chunk_reaches_the_caller_and_the_next_buffer_is_filled() {
        let fill = |bad: usize| {
            let inputs = chunk_lengths(8 * CHUNK, CHUNK).zip(0..);
            let [numbers] = filled(inputs, |at, [chunk]: [&mut [f32]; 1]| {
                assert!(at != bad, "as it should");
                chunk.fill(1.0);
            });
            numbers
        };
        assert!(catch_unwind(AssertUnwindSafe(|| fill(5))).is_err());
        assert_eq!(fill(8), vec![1.0; 8 * CHUNK]);
    }
}
