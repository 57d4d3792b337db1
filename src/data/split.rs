//! Dealing the rows of a data set to training, validation and test, one after the other.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::registry::KeyError;
use crate::rng::{Purpose, Stream};

/// What a row is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It is trained on.
    Train,
    /// It is held out, and judges the epochs.
    Validation,
    /// It is held out, and judges the end.
    Test,
    /// Nothing.
    Unused,
}

/// One of `of` parts of equal size is the test split, the others are trained on: k-fold cross-validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// Which one, from 1.
    #[schemars(range(min = 1))]
    pub index: u64,
    /// How many there are.
    #[schemars(range(min = 2))]
    pub of: u64,
}

impl Fold {
    pub(super) fn check(self) -> Result<(), KeyError> {
        if self.of < 2 {
            return Err(KeyError::new("of", format!("is {}; give 2 folds or more", self.of)));
        }
        if !(1..=self.of).contains(&self.index) {
            return Err(KeyError::new(
                "index",
                format!("is {}; folds count from 1 to {}", self.index, self.of),
            ));
        }
        Ok(())
    }
}

/// Which rows are held out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shares {
    /// Of all rows.
    pub test: f64,
    /// Of the rows that are left.
    pub validation: f64,
    /// In the place of a share for the test split.
    pub fold: Option<Fold>,
    /// Only so many of the rows that are not tested on.
    pub limit: Option<u64>,
}

/// Deals rows to parts by the seed, so that each class has the same share in every part, without keeping any of them:
/// a row goes to a part with the chance that the part's free places have among all (Knuth, TAOCP 2, 3.4.2, algorithm
/// S, for several parts). Equal rows in equal order are dealt equally.
#[derive(Debug, Clone)]
pub struct Dealer {
    /// The free places: those that are tested on and the others, or those of each fold.
    first: Places,
    /// Which of them are tested on.
    tested: usize,
    /// Of the rows that are left, those for validation and those to train on.
    second: Places,
    /// The rows that may still be trained or validated on.
    limit: u64,
}

/// Free places of some groups, class by class.
#[derive(Debug, Clone)]
struct Places {
    free: Vec<Vec<u64>>,
    stream: Stream,
}

impl Places {
    fn new(free: Vec<Vec<u64>>, seed: u64, index: u64) -> Self {
        Self { free, stream: Stream::new(seed, Purpose::Split, index) }
    }

    /// Takes a place for a row of this class; gives the group.
    fn take(&mut self, class: usize) -> Option<usize> {
        let free = self.free.get_mut(class)?;
        let all: u64 = free.iter().sum();
        if all == 0 {
            return None;
        }
        let mut place = self.stream.random_range(0..all);
        for (group, places) in free.iter_mut().enumerate() {
            if place < *places {
                *places -= 1;
                return Some(group);
            }
            place -= *places;
        }
        None
    }

    /// The free places of a group.
    fn of(&self, group: usize) -> u64 {
        self.free.iter().map(|free| free[group]).sum()
    }
}

impl Dealer {
    /// A dealer of rows of which there are `counts` of each class. `classes` gives the class of each row in order; it
    /// is only asked where there is a limit.
    pub fn new(
        shares: &Shares,
        counts: &[u64],
        seed: u64,
        classes: impl FnOnce(&mut dyn FnMut(usize) -> bool) -> Result<()>,
    ) -> Result<Self> {
        let rows: u64 = counts.iter().sum();
        let (first, tested) = match shares.fold {
            Some(fold) if fold.of > rows => {
                let problem = format!("asks for {} folds of {rows} rows; give at most a fold a row", fold.of);
                return Err(Error::key("data.fold", problem));
            }
            Some(fold) => (folds(counts, fold.of), usize::try_from(fold.index - 1).unwrap_or(usize::MAX)),
            None => (halves(counts, shares.test), 0),
        };
        let limit = shares.limit.unwrap_or(u64::MAX);
        let second = Places::new(Vec::new(), seed, 2 << 32);
        let mut dealer = Self { first: Places::new(first, seed, 1 << 32), tested, second, limit };
        let mut pool: Vec<u64> =
            dealer.first.free.iter().map(|free| free.iter().sum::<u64>() - free[tested]).collect();
        if limit < pool.iter().sum() {
            // Which rows are in the pool is only known by dealing.
            pool = vec![0; counts.len()];
            let mut trial = dealer.clone();
            classes(&mut |class| {
                if trial.first_stage(class) == Part::Train {
                    pool[class] += 1;
                }
                trial.limit > 0
            })?;
        }
        dealer.second.free = halves(&pool, shares.validation);
        let [train, validation, test] = dealer.sizes();
        let left = train + validation;
        if left == 0 || (shares.test > 0.0 && test == 0) {
            let problem = format!(
                "is {}: of {rows} rows it leaves {left} to train on and {test} to test on",
                shares.test
            );
            return Err(Error::key("data.test", format!("{problem}; change the share")));
        }
        if train == 0 || (shares.validation > 0.0 && validation == 0) {
            let problem = format!(
                "is {}: of {left} rows it leaves {train} to train on and {validation} to validate; change the share",
                shares.validation
            );
            return Err(Error::key("data.validation", problem));
        }
        Ok(dealer)
    }

    /// The rows of training, validation and test that are to come.
    pub fn sizes(&self) -> [u64; 3] {
        [self.second.of(1), self.second.of(0), self.first.of(self.tested)]
    }

    /// The part of the next row.
    pub fn deal(&mut self, class: usize) -> Part {
        match self.first_stage(class) {
            Part::Train if self.second.take(class) == Some(0) => Part::Validation,
            part => part,
        }
    }

    /// The part of the next row, where none is held out for validation.
    fn first_stage(&mut self, class: usize) -> Part {
        if self.first.take(class) == Some(self.tested) {
            return Part::Test;
        }
        if self.limit == 0 {
            return Part::Unused;
        }
        self.limit -= 1;
        Part::Train
    }
}

/// Of each class the rows that a share of it is, and the others. What rounding down leaves of the share of all goes to
/// the classes that lost most by it; a class keeps a row at least.
fn halves(counts: &[u64], of: f64) -> Vec<Vec<u64>> {
    let exact = |count: u64| parts(of, count);
    let mut held: Vec<u64> =
        counts.iter().map(|count| exact(*count).0.min(count.saturating_sub(1))).collect();
    let mut left = share(of, counts.iter().sum()).saturating_sub(held.iter().sum());
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by(|a, b| exact(counts[*b]).1.total_cmp(&exact(counts[*a]).1).then(a.cmp(b)));
    for class in order {
        let lost = exact(counts[class]).1 > 1e-6;
        if lost && left > 0 && held[class] + 1 < counts[class] {
            held[class] += 1;
            left -= 1;
        }
    }
    held.iter().zip(counts).map(|(held, count)| vec![*held, count - held]).collect()
}

/// A share of some rows, rounded down, and what is lost by that.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a count of rows"
)]
fn parts(of: f64, count: u64) -> (u64, f64) {
    // 0.2 of 15 rows are 3, though the product is a little less.
    let exact = of * count as f64 + 1e-9;
    (exact.floor() as u64, exact.fract())
}

/// Of each class the rows of each fold. What is left over goes to a fold each, on from where the last class ended.
fn folds(counts: &[u64], of: u64) -> Vec<Vec<u64>> {
    let mut first = 0;
    let mut deal = |count: &u64| {
        let (each, rest) = (count / of, count % of);
        let fold = |index: u64| each + u64::from((index + of - first % of) % of < rest);
        let free = (0..of).map(fold).collect();
        first += rest;
        free
    };
    counts.iter().map(&mut deal).collect()
}

/// The rows that a share of some is.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a count of rows"
)]
pub(super) fn share(of: f64, count: u64) -> u64 {
    (of * count as f64).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deal(shares: &Shares, classes: &[usize], seed: u64) -> Vec<Part> {
        let mut counts = vec![0; 3];
        for class in classes {
            counts[*class] += 1;
        }
        let again = |see: &mut dyn FnMut(usize) -> bool| {
            let _ = classes.iter().all(|class| see(*class));
            Ok(())
        };
        let mut dealer = Dealer::new(shares, &counts, seed, again).unwrap();
        let sizes = dealer.sizes();
        let parts: Vec<Part> = classes.iter().map(|class| dealer.deal(*class)).collect();
        for (part, size) in [Part::Train, Part::Validation, Part::Test].into_iter().zip(sizes) {
            assert_eq!(parts.iter().filter(|own| **own == part).count() as u64, size, "{part:?}");
        }
        parts
    }

    fn count(parts: &[Part], classes: &[usize], part: Part, class: usize) -> usize {
        parts.iter().zip(classes).filter(|(own, of)| **own == part && **of == class).count()
    }

    #[test]
    fn every_class_has_its_share_in_every_part() {
        let classes: Vec<usize> = (0..500).map(|row| [0, 0, 1, 0, 2][row % 5]).collect();
        let shares = Shares { test: 0.2, validation: 0.25, ..Shares::default() };
        let parts = deal(&shares, &classes, 1);
        for (class, of) in [(0, 300), (1, 100), (2, 100)] {
            assert_eq!(count(&parts, &classes, Part::Test, class), of / 5);
            assert_eq!(count(&parts, &classes, Part::Validation, class), of / 5);
        }
        assert_eq!(parts, deal(&shares, &classes, 1));
        assert_ne!(parts, deal(&shares, &classes, 2));
        // Not the first rows, nor the last.
        let middle = parts[200..300].iter().filter(|part| **part == Part::Test).count();
        assert!((5..40).contains(&middle), "{middle}");
    }

    #[test]
    fn small_classes_share_what_rounding_leaves() {
        // Fifty classes of 4 rows, and a tenth: 20 rows of 20 classes, as scikit-learn has it too.
        let free = halves(&[4; 50], 0.1);
        assert_eq!(free.iter().map(|free| free[0]).sum::<u64>(), 20);
        assert!(free.iter().all(|free| free[0] <= 1));
        // The only row of a class is trained on.
        assert_eq!(halves(&[30, 30, 1], 0.5), [[15, 15], [15, 15], [0, 1]]);
        assert_eq!(halves(&[15], 0.2), [[3, 12]]);
    }

    #[test]
    fn folds_hold_every_row_out_once() {
        let classes: Vec<usize> = (0..103).map(|row| usize::from(row % 4 == 0)).collect();
        let fold = |index| Some(Fold { index, of: 5 });
        let folds: Vec<Vec<Part>> = (1..=5)
            .map(|index| deal(&Shares { fold: fold(index), ..Shares::default() }, &classes, 3))
            .collect();
        for fold in &folds {
            let held = fold.iter().filter(|part| **part == Part::Test).count();
            assert!((20..=21).contains(&held), "{held}");
        }
        for row in 0..classes.len() {
            let times = folds.iter().filter(|fold| fold[row] == Part::Test).count();
            assert_eq!(times, 1, "row {row}");
        }
    }

    #[test]
    fn a_limit_counts_the_rows_that_are_not_tested_on() {
        let classes = vec![0; 100];
        let shares = Shares { test: 0.5, validation: 0.2, limit: Some(30), ..Shares::default() };
        let parts = deal(&shares, &classes, 1);
        assert_eq!(count(&parts, &classes, Part::Test, 0), 50);
        assert_eq!(count(&parts, &classes, Part::Train, 0), 24);
        assert_eq!(count(&parts, &classes, Part::Validation, 0), 6);
    }
}
