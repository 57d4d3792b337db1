//! Rows that are assigned to parts one after another, at random.

use rand::Rng;

use super::quota::{drawn, folded, stratified};
use super::{Limited, Part, SplitPlan, SplitSizes, Stratum};
use crate::error::{Error, Result};
use crate::names::counted;
use crate::rng::{Purpose, Stream};

/// Assigns rows to parts by the seed, with the counts of `super::quota` for every stratum, and without keeping any
/// row: a row goes to a part with the chance that the part's free places have among all (Knuth, TAOCP 2, 3.4.2,
/// algorithm S, for several parts). The same strata in the same order are assigned alike, so that a table that is read in
/// several passes is split anew, and equally, in each of them.
#[derive(Debug, Clone)]
pub struct Assigner {
    /// The free places of the test split and of the other rows, or of each fold.
    first: Places,
    /// The group of [`Self::first`] that is the test split.
    tested: usize,
    /// With a limit, the free places of the used and of the unused rows outside the test split.
    limited: Option<Places>,
    /// The free places of validation and of training among the used rows, or of each fold of these.
    second: Places,
    /// The group of [`Self::second`] that is validated.
    validated: usize,
}

/// The group of [`Assigner::second`] that a share holds out.
const VALIDATION: usize = 0;
/// A group of [`Assigner::limited`].
const USED: usize = 0;

/// Streams of [`Purpose::Split`].
const FIRST: u64 = 1 << 32;
const SECOND: u64 = 2 << 32;
const TIES: u64 = 3 << 32;
const LIMIT: u64 = 4 << 32;

impl Assigner {
    /// An assigner of rows with `counts` in each stratum.
    ///
    /// # Errors
    /// A share, a fold or a limit that leaves a part without rows.
    pub fn new(plan: &SplitPlan, counts: &[u64], seed: u64) -> Result<Self> {
        let mut ties = Stream::new(seed, Purpose::Split, TIES);
        let rows: u64 = counts.iter().sum();
        let (free, tested) = match plan.fold {
            Some(fold) if fold.of > rows => {
                let problem = format!(
                    "asks for {} folds of {}; use at most one fold per row",
                    fold.of,
                    counted(rows, "row")
                );
                return Err(Error::key("data.fold", problem));
            }
            Some(fold) => (folded(counts, fold.of), usize::try_from(fold.index - 1).unwrap_or(usize::MAX)),
            None => (in_two(counts, plan.test, &mut ties), 0),
        };
        let mut pool: Vec<u64> =
            free.iter().map(|free: &Vec<u64>| free.iter().sum::<u64>() - free[tested]).collect();
        let mut limited = None;
        if let Some(limit) = plan.limit.filter(|limit| *limit < pool.iter().sum()) {
            let used = drawn(&pool, limit, &mut ties);
            let free = used.iter().zip(&pool).map(|(used, all)| vec![*used, all - used]).collect();
            limited = Some(Places::new(free, seed, LIMIT));
            pool = used;
        }
        plan.check_bag(pool.iter().sum())?;
        let (groups, validated) = match plan.validated_fold() {
            Some(fold) => (folded(&pool, fold.of), usize::try_from(fold.index - 1).unwrap_or(usize::MAX)),
            None => (in_two(&pool, plan.validation, &mut ties), VALIDATION),
        };
        let second = Places::new(groups, seed, SECOND);
        let assigner = Self { first: Places::new(free, seed, FIRST), tested, limited, second, validated };
        assigner.sizes().check(plan, rows)?;
        Ok(assigner)
    }

    /// The rows of each part that are to come.
    pub fn sizes(&self) -> SplitSizes {
        SplitSizes {
            train: self.second.all() - self.second.of(self.validated),
            validation: self.second.of(self.validated),
            test: self.first.of(self.tested),
        }
    }

    /// The number of rows that the limit leaves for training and validation, and their number without it; `None`
    /// without a limit.
    pub fn limited(&self) -> Option<Limited> {
        let places = self.limited.as_ref()?;
        let used = places.of(USED);
        Some(Limited { used, of: places.free.iter().flatten().sum() })
    }

    /// The part of the next row.
    pub fn assign(&mut self, stratum: Stratum) -> Part {
        if self.first.take(stratum) == Some(self.tested) {
            return Part::Test;
        }
        if let Some(limited) = &mut self.limited
            && limited.take(stratum) != Some(USED)
        {
            return Part::Unused;
        }
        if self.second.take(stratum) == Some(self.validated) { Part::Validation } else { Part::Train }
    }
}

/// The rows that a share holds out of each stratum, and the others.
fn in_two(counts: &[u64], share: f64, ties: &mut Stream) -> Vec<Vec<u64>> {
    let held = stratified(counts, share, ties);
    held.iter().zip(counts).map(|(held, count)| vec![*held, count - held]).collect()
}

/// The free places of some groups, `[stratum][group]`.
#[derive(Debug, Clone)]
struct Places {
    free: Vec<Vec<u64>>,
    stream: Stream,
    /// The group that has all free places, if it is one: nothing is drawn.
    only: Option<usize>,
}

impl Places {
    fn new(free: Vec<Vec<u64>>, seed: u64, index: u64) -> Self {
        let mut groups: Vec<usize> = (0..free.first().map_or(0, Vec::len)).collect();
        groups.retain(|group| free.iter().any(|free| free[*group] > 0));
        let only = if let [only] = groups[..] { Some(only) } else { None };
        Self { free, stream: Stream::new(seed, Purpose::Split, index), only }
    }

    /// Takes a place for a row of this stratum, and returns its group.
    fn take(&mut self, stratum: Stratum) -> Option<usize> {
        let free = self.free.get_mut(stratum)?;
        if let Some(only) = self.only {
            free[only] = free[only].checked_sub(1)?;
            return Some(only);
        }
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

    /// All free places.
    fn all(&self) -> u64 {
        self.free.iter().flatten().sum()
    }

    /// The free places of a group.
    fn of(&self, group: usize) -> u64 {
        self.free.iter().map(|free| free[group]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Fold;
    use super::*;

    fn assigned(plan: &SplitPlan, classes: &[usize], seed: u64) -> Vec<Part> {
        let mut counts = vec![0; 3];
        for class in classes {
            counts[*class] += 1;
        }
        let mut assigner = Assigner::new(plan, &counts, seed).unwrap();
        let SplitSizes { train, validation, test } = assigner.sizes();
        let parts: Vec<Part> = classes.iter().map(|class| assigner.assign(*class)).collect();
        for (part, size) in [(Part::Train, train), (Part::Validation, validation), (Part::Test, test)] {
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
        let plan = SplitPlan { test: 0.2, validation: 0.25, ..SplitPlan::default() };
        let parts = assigned(&plan, &classes, 1);
        for (class, of) in [(0, 300), (1, 100), (2, 100)] {
            assert_eq!(count(&parts, &classes, Part::Test, class), of / 5);
            assert_eq!(count(&parts, &classes, Part::Validation, class), of / 5);
        }
        assert_eq!(parts, assigned(&plan, &classes, 1));
        assert_ne!(parts, assigned(&plan, &classes, 2));
        // Not the first rows, nor the last.
        let middle = parts[200..300].iter().filter(|part| **part == Part::Test).count();
        assert!((5..40).contains(&middle), "{middle}");
    }

    #[test]
    fn folds_hold_every_row_out_once() {
        let classes: Vec<usize> = (0..103).map(|row| usize::from(row % 4 == 0)).collect();
        let fold = |index| Some(Fold { index, of: 5 });
        let folds: Vec<Vec<Part>> = (1..=5)
            .map(|index| assigned(&SplitPlan { fold: fold(index), ..SplitPlan::default() }, &classes, 3))
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
    fn every_row_that_is_not_tested_on_is_validated_in_one_run_of_a_bag() {
        use super::super::Bag;
        let classes: Vec<usize> = (0..103).map(|row| usize::from(row % 4 == 0)).collect();
        let plan = SplitPlan { test: 0.2, ..SplitPlan::default() };
        let bag = |index| assigned(&SplitPlan { bag: Some(Bag { index, of: 4 }), ..plan }, &classes, 3);
        let runs: Vec<Vec<Part>> = (1..=4).map(|index| bag(Some(index))).collect();
        let whole = bag(None);
        assert_eq!(count(&whole, &classes, Part::Validation, 0), 0);
        for row in 0..classes.len() {
            let times = |part: Part| runs.iter().filter(|run| run[row] == part).count();
            let is_tested = assigned(&plan, &classes, 3)[row] == Part::Test;
            let expected = if is_tested { (4, 0, 0) } else { (0, 1, 3) };
            assert_eq!(
                (times(Part::Test), times(Part::Validation), times(Part::Train)),
                expected,
                "row {row}"
            );
            assert_eq!(whole[row] == Part::Test, is_tested);
        }
    }

    #[test]
    fn a_limit_counts_the_rows_that_are_not_tested_on() {
        let classes = vec![0; 100];
        let plan = SplitPlan { test: 0.5, validation: 0.2, limit: Some(30), ..SplitPlan::default() };
        let parts = assigned(&plan, &classes, 1);
        assert_eq!(count(&parts, &classes, Part::Test, 0), 50);
        assert_eq!(count(&parts, &classes, Part::Train, 0), 24);
        assert_eq!(count(&parts, &classes, Part::Validation, 0), 6);
    }

    #[test]
    fn a_limit_draws_the_same_share_of_every_class_from_all_rows() {
        let classes: Vec<usize> = (0..300).map(|row| row / 100).collect();
        let plan = SplitPlan { limit: Some(90), ..SplitPlan::default() };
        let parts = assigned(&plan, &classes, 1);
        for class in 0..3 {
            assert_eq!(count(&parts, &classes, Part::Train, class), 30);
            assert_eq!(count(&parts, &classes, Part::Unused, class), 70);
        }
        assert_ne!(parts, assigned(&plan, &classes, 2));
        let whole = SplitPlan { limit: Some(300), ..plan };
        assert!(assigned(&whole, &classes, 1).iter().all(|part| *part == Part::Train));
    }

    /// A group that has all places gets every row, without a draw; one stratum more does not change the draws of others.
    #[test]
    fn rows_go_to_the_only_group_with_places() {
        for counts in [[5, 0, 3], [0, 0, 9]] {
            let free = |count: &u64| vec![0, *count];
            let mut only = Places::new(counts.iter().map(free).collect(), 1, FIRST);
            assert_eq!(only.only, Some(1));
            let mut drawn = Places { only: None, ..only.clone() };
            for stratum in (0..60).map(|row| row % 4) {
                assert_eq!(only.take(stratum), drawn.take(stratum));
            }
            assert_eq!(only.all(), 0);
        }
        assert_eq!(Places::new(vec![vec![1, 4], vec![0, 2]], 1, FIRST).only, None);
        assert_eq!(Places::new(Vec::new(), 1, FIRST).only, None);
    }
}
