//! Counter-based random numbers: every draw is a function of (seed, purpose, index, position).
//!
//! No random state is ever saved. A resumed run asks for the stream of its current epoch or step and gets the numbers that
//! the uninterrupted run would have got, on any number of threads and any device.
//!
//! The generator is Philox4x32-10: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
//! PyTorch, JAX and cuRAND use it too.

use rand::RngCore;

/// The number of blocks that [`Stream::blocks`] computes fastest at a time.
pub const LANES: usize = 16;

/// The purpose of random numbers. Two purposes never share a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Initial parameters; the index is that of the parameter.
    Init = 1,
    /// The order of the rows; the index is the epoch.
    Shuffle = 2,
    /// Dropout masks; the index is the step combined with that of the layer.
    Dropout = 3,
    /// The validation split.
    Split = 4,
    /// Generated data sets.
    Data = 5,
    /// The rows that permutation importance is measured on.
    Sample = 6,
    /// The rows that a baseline is fitted on.
    Baseline = 7,
}

/// The key of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamId {
    /// The run's seed.
    pub seed: u64,
    /// The purpose of the numbers.
    pub purpose: Purpose,
    /// Distinguishes the streams of one purpose.
    pub index: u64,
}

/// An infinite stream of random bits that can be read at any position.
#[derive(Debug, Clone)]
pub struct Stream {
    source: StreamId,
    key: [u32; 2],
    counter: u64,
    block: [u32; 4],
    used: usize,
}

impl Stream {
    /// The stream of `seed` for one `purpose` and `index`.
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let [a, b, _, _] = philox([low(index), high(index), purpose as u32, 0], [low(seed), high(seed)]);
        let source = StreamId { seed, purpose, index };
        Self { source, key: [a, b], counter: 0, block: [0; 4], used: 4 }
    }

    /// The key of the stream: a GPU generates the same stream from it.
    pub fn source(&self) -> StreamId {
        self.source
    }

    /// The four 32-bit words of block `counter`, independent of what was drawn before.
    #[inline]
    pub fn block(&self, counter: u64) -> [u32; 4] {
        philox([low(counter), high(counter), 0, 0], self.key)
    }

    /// The words of the `N` blocks from `first` on, as [`Self::block`] returns them, computed as vector code.
    #[inline(always)]
    pub fn blocks<const N: usize>(&self, first: u64) -> [[u32; 4]; N] {
        // A vector for each of the counter's four words, in the lower halves of 64 bits: a product of two words fills such a lane,
        // and is taken apart by a shift alone. It is twice as fast with AVX-512 as by vectors of 32 bits (without it: not
        // measured). The upper halves hold anything.
        let (mut a, mut b, mut c, mut d) = ([0u64; N], [0u64; N], [0u64; N], [0u64; N]);
        for (counter, (a, b)) in (first..).zip(a.iter_mut().zip(&mut b)) {
            (*a, *b) = (counter, counter >> 32);
        }
        let mut key = self.key;
        for _ in 0..10 {
            let [k0, k1] = key.map(u64::from);
            for (((a, b), c), d) in a.iter_mut().zip(&mut b).zip(&mut c).zip(&mut d) {
                let (left, right) = (M0 * (*a & WORD), M1 * (*c & WORD));
                [*a, *b, *c, *d] = [(right >> 32) ^ *b ^ k0, right, (left >> 32) ^ *d ^ k1, left];
            }
            key = next_key(key);
        }
        std::array::from_fn(|lane| [a[lane], b[lane], c[lane], d[lane]].map(low))
    }
}

impl RngCore for Stream {
    fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.block = self.block(self.counter);
            self.counter += 1;
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) | (u64::from(self.next_u32()) << 32)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(4) {
            let word = self.next_u32().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

/// The multipliers, by the paper's names.
const M0: u64 = 0xD251_1F53;
const M1: u64 = 0xCD9E_8D57;

/// The lower half of 64 bits.
const WORD: u64 = 0xFFFF_FFFF;

#[allow(clippy::cast_possible_truncation, reason = "the halves of a 64-bit word")]
const fn low(x: u64) -> u32 {
    x as u32
}

const fn high(x: u64) -> u32 {
    low(x >> 32)
}

#[inline]
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        counter = round(counter, key);
        key = next_key(key);
    }
    counter
}

#[inline(always)]
fn round(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let left = M0 * u64::from(counter[0]);
    let right = M1 * u64::from(counter[2]);
    [high(right) ^ counter[1] ^ key[0], low(right), high(left) ^ counter[3] ^ key[1], low(left)]
}

#[inline(always)]
const fn next_key(key: [u32; 2]) -> [u32; 2] {
    [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_known_answers_of_random123() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox(counter, key), expected);
        }
    }

    #[test]
    fn streams_differ_in_seed_purpose_and_index_and_repeat_otherwise() {
        let first = |seed, purpose, index| Stream::new(seed, purpose, index).next_u64();
        let base = first(1, Purpose::Init, 0);
        assert_eq!(base, first(1, Purpose::Init, 0));
        assert_ne!(base, first(2, Purpose::Init, 0));
        assert_ne!(base, first(1, Purpose::Shuffle, 0));
        assert_ne!(base, first(1, Purpose::Init, 1));
        assert_ne!(base, first(1, Purpose::Init, 1 << 32));
    }

    #[test]
    fn blocks_side_by_side_are_the_blocks() {
        let stream = Stream::new(3, Purpose::Dropout, 1);
        for first in [0, 5, u64::from(u32::MAX) - 3] {
            let expected: Vec<[u32; 4]> = (first..first + 16).map(|counter| stream.block(counter)).collect();
            assert_eq!(stream.blocks::<LANES>(first).as_slice(), expected);
        }
    }

    #[test]
    fn drawing_in_order_reads_the_blocks_in_order() {
        let mut drawn = Stream::new(7, Purpose::Dropout, 3);
        let fixed = drawn.clone();
        let words: Vec<u32> = (0..8).map(|_| drawn.next_u32()).collect();
        assert_eq!(words[..4], fixed.block(0));
        assert_eq!(words[4..], fixed.block(1));
    }
}
