//! The strata: groups of rows that are divided alike among the parts.

use std::borrow::Borrow;
use std::hash::Hash;

use rustc_hash::FxHashMap;

/// The number of a row's stratum.
pub type Stratum = usize;

/// Strata, numbered in the order of their first rows, and how many rows each has. So the same rows are assigned alike
/// whatever their classes are called.
#[derive(Debug, Clone)]
pub struct Strata<K> {
    numbers: FxHashMap<K, Stratum>,
    counts: Vec<u64>,
}

impl<K> Default for Strata<K> {
    fn default() -> Self {
        Self { numbers: FxHashMap::default(), counts: Vec::new() }
    }
}

impl<K: Hash + Eq> Strata<K> {
    /// Counts a row of this class.
    pub fn add(&mut self, class: K) -> Stratum {
        self.add_rows(class, 1)
    }

    /// Counts so many rows of this class.
    pub fn add_rows(&mut self, class: K, rows: u64) -> Stratum {
        let next = self.counts.len();
        let stratum = *self.numbers.entry(class).or_insert(next);
        if stratum == next {
            self.counts.push(0);
        }
        self.counts[stratum] += rows;
        stratum
    }

    /// Counts a row of a class that may be known already; false where it is not.
    pub fn add_known<Q: Hash + Eq + ?Sized>(&mut self, class: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        let Some(stratum) = self.numbers.get(class) else { return false };
        self.counts[*stratum] += 1;
        true
    }

    /// Makes one stratum of all, of this class.
    pub fn merge(&mut self, class: K) {
        self.counts = vec![self.counts.iter().sum()];
        self.numbers.clear();
        self.numbers.insert(class, 0);
    }

    /// The stratum of a class.
    pub fn of<Q: Hash + Eq + ?Sized>(&self, class: &Q) -> Option<Stratum>
    where
        K: Borrow<Q>,
    {
        self.numbers.get(class).copied()
    }

    /// The number of rows of each stratum.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The classes, in no order.
    pub fn classes(&self) -> impl Iterator<Item = &K> {
        self.numbers.keys()
    }
}
