//! The order of a data set's rows in an epoch.

use rand::Rng;
use rand::seq::SliceRandom;

use crate::rng::{Purpose, Stream};

/// The rows of an epoch, a few at a time. Rows in a file are shuffled block-wise, so that reads stay sequential: the blocks
/// are shuffled, and then the rows of every few blocks together.
#[derive(Debug, Clone)]
pub struct Order {
    /// Rows whose order is decided.
    ready: Vec<u32>,
    next: usize,
    /// The remaining blocks, the next one last.
    blocks: Vec<u32>,
    len: usize,
    stream: Option<Stream>,
}

/// Rows of a block, and blocks whose rows are shuffled together.
const BLOCK: usize = 1024;
const MIXED: usize = 64;

impl Order {
    /// An epoch in this order.
    pub(super) fn of(ready: Vec<u32>) -> Self {
        let len = ready.len();
        Self { ready, next: 0, blocks: Vec::new(), len, stream: None }
    }

    /// Rows in a file: in order, or shuffled block-wise by (seed, epoch).
    pub(super) fn blocks(len: usize, seed: Option<u64>, epoch: u64) -> Self {
        let count = u32::try_from(len.div_ceil(BLOCK)).unwrap_or(u32::MAX);
        let mut blocks: Vec<u32> = (0..count).rev().collect();
        let mut stream = seed.map(|seed| Stream::new(seed, Purpose::Shuffle, epoch));
        if let Some(stream) = &mut stream {
            shuffle_rows(&mut blocks, stream);
        }
        Self { ready: Vec::new(), next: 0, blocks, len, stream }
    }

    /// The next `count` rows, or fewer at the end.
    pub fn take(&mut self, count: usize) -> Vec<u32> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            if self.next == self.ready.len() && !self.refill() {
                break;
            }
            let more = (count - taken.len()).min(self.ready.len() - self.next);
            taken.extend_from_slice(&self.ready[self.next..self.next + more]);
            self.next += more;
        }
        taken
    }

    /// Shuffles the rows of the next blocks; false at the end.
    fn refill(&mut self) -> bool {
        if self.blocks.is_empty() {
            return false;
        }
        self.ready.clear();
        self.next = 0;
        let from = self.blocks.len().saturating_sub(MIXED);
        for block in self.blocks.drain(from..).rev() {
            let start = block as usize * BLOCK;
            let row = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
            self.ready.extend(row(start)..row(self.len.min(start + BLOCK)));
        }
        if let Some(stream) = &mut self.stream {
            shuffle_rows(&mut self.ready, stream);
        }
        true
    }
}

/// Shuffles rows to the order that rand's `shuffle` gives them. Of many rows each swap waits for memory: those of the next
/// swaps are fetched together.
fn shuffle_rows(rows: &mut [u32], stream: &mut Stream) {
    /// As long as the product of two numbers is less than 2^32, rand draws several indices at once.
    const DRAWN_TOGETHER: usize = 1 << 16;
    let (first, _) = rows.split_at_mut(rows.len().min(DRAWN_TOGETHER));
    first.shuffle(stream);
    let mut swaps = [0; 64];
    let mut next = first.len();
    while next < rows.len() {
        let count = swaps.len().min(rows.len() - next);
        for (place, swap) in (next..).zip(&mut swaps[..count]) {
            *swap = stream.random_range(..=u32::try_from(place).unwrap_or(u32::MAX)) as usize;
        }
        std::hint::black_box(swaps[..count].iter().fold(0, |fetched, swap| fetched ^ rows[*swap]));
        swaps[..count].iter().zip(next..).for_each(|(swap, place)| rows.swap(place, *swap));
        next += count;
    }
}

/// The order of `len` rows in an epoch: unchanged, or shuffled by (seed, epoch).
pub fn order(len: usize, shuffle: bool, seed: u64, epoch: u64) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..u32::try_from(len).unwrap_or(u32::MAX)).collect();
    if shuffle {
        shuffle_rows(&mut rows, &mut Stream::new(seed, Purpose::Shuffle, epoch));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_permutation_decided_by_seed_and_epoch() {
        let plain = order(1000, false, 1, 1);
        assert!(plain.iter().enumerate().all(|(i, row)| i == *row as usize));
        let shuffled = order(1000, true, 1, 1);
        assert_eq!(shuffled, order(1000, true, 1, 1));
        assert_ne!(shuffled, order(1000, true, 2, 1));
        assert_ne!(shuffled, order(1000, true, 1, 2));
        let mut sorted = shuffled.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, plain);
        assert_ne!(shuffled, plain);
    }

    #[test]
    fn an_order_is_that_of_rands_shuffle() {
        for len in [0u32, 1, 2, 100, 65_534, 65_535, 65_536, 65_537, 65_538, 65_600, 131_077, 400_000] {
            for epoch in 1..4 {
                let mut expected: Vec<u32> = (0..len).collect();
                expected.shuffle(&mut Stream::new(7, Purpose::Shuffle, epoch));
                assert!(order(len as usize, true, 7, epoch) == expected, "{len} rows, epoch {epoch}");
            }
        }
    }

    #[test]
    fn blocks_give_every_row_once_and_far_from_its_neighbours() {
        const ROWS: usize = 200_123;
        let take = |seed, epoch| {
            let mut order = Order::blocks(ROWS, Some(seed), epoch);
            let mut rows = Vec::new();
            loop {
                let batch = order.take(64);
                if batch.is_empty() {
                    return rows;
                }
                rows.extend(batch);
            }
        };
        let rows = take(1, 1);
        assert_eq!(rows, take(1, 1));
        assert_ne!(rows, take(1, 2));
        let neighbours = rows.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) == 1).count();
        assert!(neighbours < ROWS / 1000, "{neighbours}");
        let mut sorted = rows;
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(place, row)| place == *row as usize) && sorted.len() == ROWS);
    }
}
