//! Shards: the parts in which the gradient of a batch is computed, and how they are added up.
//!
//! Addition of floating-point numbers depends on its order. With `train.shards = S` a batch is cut in S parts, whose
//! gradients are added in a fixed binary tree. 1, 2, … S ranks each have an aligned subtree, and finish the tree by
//! recursive doubling (Thakur, Rabenseifner and Gropp 2005, <https://doi.org/10.1177/1094342005051521>): so they have the
//! bits of one process.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::{Communicator, Numbers, Single};

/// The shards of a batch; this rank has some of them.
#[derive(Debug, Clone)]
pub struct Shards {
    ranks: Arc<dyn Communicator>,
    /// The leaves of the tree; 1: ranks add up in whatever order is fastest.
    leaves: usize,
}

impl Default for Shards {
    fn default() -> Self {
        Self { ranks: Arc::new(Single), leaves: 1 }
    }
}

impl Shards {
    /// As many shards, a power of two, on these ranks. With 1 each rank has a part of its own, in no fixed tree.
    ///
    /// # Errors
    /// A number of shards that is no multiple of the number of ranks: why not, and what would be.
    pub fn new(count: usize, ranks: Arc<dyn Communicator>) -> Result<Self, String> {
        let size = ranks.size();
        if count > 1 && !count.is_multiple_of(size) {
            return Err(format!(
                "is {count}, which {size} ranks cannot share out evenly: start 1, 2, 4 … {count} ranks, choose another \
                 number of shards, or leave it out"
            ));
        }
        Ok(Self { ranks, leaves: count })
    }

    /// The ranks that share the batch.
    pub fn ranks(&self) -> &Arc<dyn Communicator> {
        &self.ranks
    }

    /// Whether a batch is one part of one process.
    pub fn is_whole(&self) -> bool {
        self.leaves == 1 && self.ranks.size() == 1
    }

    /// The parts of a batch, on all ranks.
    fn count(&self) -> usize {
        self.leaves.max(self.ranks.size())
    }

    /// The parts that this rank has.
    pub fn own(&self) -> usize {
        self.count() / self.ranks.size()
    }

    /// The rows of each of this rank's parts, out of `rows`. Their sizes differ by one row at most, and may be 0.
    pub fn rows(&self, rows: usize) -> Vec<Range<usize>> {
        let (count, own) = (self.count(), self.own());
        let start = |part: usize| part * rows / count;
        let first = self.ranks.rank() * own;
        (first..first + own).map(|part| start(part)..start(part + 1)).collect()
    }

    /// Adds the numbers of this rank's parts, each of the same length, and those of the other ranks.
    ///
    /// # Errors
    /// A rank that cannot be reached.
    pub fn sum(&self, mut parts: Vec<Vec<f64>>) -> io::Result<Vec<f64>> {
        add_in_tree(&mut parts, |into: &mut Vec<f64>, from| {
            into.iter_mut().zip(from.iter()).for_each(|(into, from)| *into += *from);
            Ok::<_, io::Error>(())
        })?;
        let mut sum = parts.into_iter().next().unwrap_or_default();
        self.sum_over_ranks(Numbers::F64(&mut sum))?;
        Ok(sum)
    }

    /// Adds up what this rank's parts have come to with that of the other ranks.
    ///
    /// # Errors
    /// A rank that cannot be reached.
    pub fn sum_over_ranks(&self, mut numbers: Numbers<'_>) -> io::Result<()> {
        let size = self.ranks.size();
        if size == 1 {
            return Ok(());
        }
        if self.leaves == 1 {
            return self.ranks.sum(numbers);
        }
        let mut distance = 1;
        while distance < size {
            // Both of a pair compute the same sum of two: addition commutes.
            self.ranks.add(numbers.again(), self.ranks.rank() ^ distance)?;
            distance *= 2;
        }
        Ok(())
    }
}

/// Adds the elements, a power of two, in a binary tree: the sum is then in the first.
///
/// # Errors
/// The first of `add`'s.
pub fn add_in_tree<T, E>(parts: &mut [T], mut add: impl FnMut(&mut T, &T) -> Result<(), E>) -> Result<(), E> {
    let mut distance = 1;
    while distance < parts.len() {
        for left in (0..parts.len() - distance).step_by(2 * distance) {
            let (into, from) = parts.split_at_mut(left + distance);
            add(&mut into[left], &from[0])?;
        }
        distance *= 2;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_numbers_are_added_in_a_tree() {
        let mut said: Vec<String> = (0..8).map(|i| i.to_string()).collect();
        add_in_tree(&mut said, |into, from| {
            *into = format!("({into}+{from})");
            Ok::<_, ()>(())
        })
        .unwrap();
        assert_eq!(said[0], "(((0+1)+(2+3))+((4+5)+(6+7)))");
    }

    #[test]
    fn the_parts_of_a_batch_are_its_rows_in_order() {
        let shards = Shards::new(8, Arc::new(Single)).unwrap();
        for rows in [0, 1, 7, 8, 9, 64, 1001] {
            let parts = shards.rows(rows);
            let all: Vec<usize> = parts.iter().cloned().flatten().collect();
            assert_eq!(all, (0..rows).collect::<Vec<_>>());
            let sizes: Vec<usize> = parts.iter().map(Range::len).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        }
    }
}
