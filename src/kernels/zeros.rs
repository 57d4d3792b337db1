//! Cleared memory.
#![allow(unsafe_code, reason = "the length of a vector is set after its elements are written")]

use std::mem::MaybeUninit;

use super::storage::Float;
use super::team;

/// The elements that one thread clears at a time.
const CHUNK: usize = 1 << 14;

/// So many zeros. Each thread clears a part, by the same shares as it works on it later: where one cleared all of a large buffer,
/// the others would wait, and then fetch their parts from its cache.
pub(super) fn zeros<T: Float>(length: usize) -> Vec<T> {
    if length <= CHUNK {
        return vec![T::of(0.0); length];
    }
    let mut numbers = Vec::with_capacity(length);
    let chunks = numbers.spare_capacity_mut()[..length].chunks_mut(CHUNK).collect();
    team::for_each(chunks, |chunk: &mut [MaybeUninit<T>]| {
        for number in chunk {
            number.write(T::of(0.0));
        }
    });
    // SAFETY: there is room for as many elements, and the chunks, each of which was written whole, cover them: `for_each` calls
    // its function on every piece, and does not return where a call panicked.
    unsafe { numbers.set_len(length) };
    numbers
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
}
