//! New buffers, each part of which is written by the thread that computes it: where one thread cleared the whole, the others
//! would wait for it, and then fetch their parts from its cache.
#![allow(unsafe_code, reason = "elements that were just written are taken for numbers")]

use std::mem::MaybeUninit;

use super::storage::Float;
use super::team;

/// The elements that one thread clears at a time.
const CHUNK: usize = 1 << 13;

/// So many zeros.
pub(super) fn zeros<T: Float>(length: usize) -> Vec<T> {
    if length <= CHUNK {
        return vec![T::of(0.0); length];
    }
    let starts = (0..length).step_by(CHUNK);
    let [zeros] = filled(starts.map(|start| (CHUNK.min(length - start), ())), |(), _| ());
    zeros
}

/// Buffers of the same length, of which each thread fills a chunk at a time. The pieces are the lengths of the chunks, in
/// their order, with what `fill` is given beside a chunk of each buffer; it finds zeros there.
pub(super) fn filled<T: Float, P: Send, const N: usize>(
    pieces: impl IntoIterator<Item = (usize, P)>,
    fill: impl Fn(P, [&mut [T]; N]) + Sync,
) -> [Vec<T>; N] {
    filled_with_results(pieces, fill).0
}

/// As [`filled`], with the results of `fill` in the chunks' order.
pub(super) fn filled_with_results<T: Float, P: Send, R: Send, const N: usize>(
    pieces: impl IntoIterator<Item = (usize, P)>,
    fill: impl Fn(P, [&mut [T]; N]) -> R + Sync,
) -> ([Vec<T>; N], Vec<R>) {
    let pieces: Vec<(usize, P)> = pieces.into_iter().collect();
    let length = pieces.iter().map(|(length, _)| length).sum();
    let mut buffers: [Vec<T>; N] = std::array::from_fn(|_| Vec::with_capacity(length));
    let mut rest = buffers.each_mut().map(|buffer| &mut buffer.spare_capacity_mut()[..length]);
    let chunks = pieces.into_iter().map(|(length, piece)| {
        let chunks = rest.each_mut().map(|rest| rest.split_off_mut(..length).unwrap_or_default());
        (piece, chunks)
    });
    let results = team::map(chunks.collect(), |(piece, chunks)| fill(piece, chunks.map(cleared)));
    debug_assert!(rest.iter().all(|rest| rest.is_empty()), "the chunks are the whole");
    let written = length - rest.first().map_or(0, |rest| rest.len());
    for buffer in &mut buffers {
        // SAFETY: the chunks, which are those of every buffer, follow each other from its start for as many elements, and each
        // was cleared: `map` calls its function on every piece, and does not return where a call panicked.
        unsafe { buffer.set_len(written) };
    }
    (buffers, results)
}

/// Writes zeros.
fn cleared<T: Float>(chunk: &mut [MaybeUninit<T>]) -> &mut [T] {
    chunk.fill(MaybeUninit::new(T::of(0.0)));
    // SAFETY: every element was written.
    unsafe { chunk.assume_init_mut() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_zero() {
        for length in [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK, 5 * CHUNK - 1] {
            // Memory that is used again holds what was there.
            drop(vec![1.0f32; length]);
            assert_eq!(zeros::<f32>(length), vec![0.0; length]);
        }
    }

    #[test]
    fn chunks_are_filled_in_their_order_in_each_buffer() {
        let lengths = [3usize, 0, 70_000, 1];
        let pieces = lengths.into_iter().zip([1.0f64, 2.0, 3.0, 4.0]);
        let ([plus, minus], results) = filled_with_results(pieces, |sign, [plus, minus]: [&mut [f64]; 2]| {
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
    fn no_pieces_make_empty_buffers() {
        let [empty] = filled(None::<(usize, ())>, |(), _: [&mut [f32]; 1]| ());
        assert!(empty.is_empty());
    }
}
