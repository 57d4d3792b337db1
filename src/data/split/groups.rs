//! Groups of rows that go to the same part: the visits of a patient, the orders of a customer. The test and validation
//! splits then say what a model is worth on groups that it has not seen, as scikit-learn's `StratifiedGroupKFold` and
//! `GroupShuffleSplit` do.

use rand::seq::SliceRandom;
use rustc_hash::FxHashMap;

use super::deal::{GroupCounts, deal};
use super::{Assigner, Part, SplitPlan, Stratum};
use crate::error::{Error, Result};
use crate::names::counted;
use crate::rng::{Purpose, Stream};

/// A stream of [`Purpose::Split`].
const ORDER: u64 = 5 << 32;

/// The rows of each group, by stratum.
#[derive(Debug, Clone)]
pub struct Groups {
    numbers: FxHashMap<String, usize>,
    counts: Vec<GroupCounts>,
    strata: usize,
}

/// The part of each group.
#[derive(Debug, Clone)]
pub struct GroupParts {
    numbers: FxHashMap<String, usize>,
    parts: Vec<Part>,
    /// The rows to train on, by stratum.
    train: Vec<u64>,
}

impl Groups {
    /// No groups yet, of rows of so many strata.
    pub fn new(strata: usize) -> Self {
        Self { numbers: FxHashMap::default(), counts: Vec::new(), strata }
    }

    /// Counts a row of the group with this name; one of an unknown stratum, which a file that has changed may have, is left
    /// out.
    pub fn add(&mut self, name: &str, stratum: Stratum) {
        if stratum >= self.strata {
            return;
        }
        let next = self.counts.len();
        let group = match self.numbers.get(name) {
            Some(group) => *group,
            None => *self.numbers.entry(name.to_owned()).or_insert(next),
        };
        if group == next {
            self.counts.push(Vec::new());
        }
        let counts = &mut self.counts[group];
        match counts.iter_mut().find(|(own, _)| *own == stratum) {
            Some((_, count)) => *count += 1,
            None => counts.push((stratum, 1)),
        }
    }

    /// Assigns every group to a part: to folds, or so that the parts have their shares of the rows of every stratum as nearly
    /// as whole groups allow.
    ///
    /// # Errors
    /// Fewer groups than parts.
    pub fn assign(self, plan: &SplitPlan, seed: u64) -> Result<GroupParts> {
        self.check_folds(plan)?;
        let mut order: Vec<usize> = (0..self.counts.len()).collect();
        order.shuffle(&mut Stream::new(seed, Purpose::Split, ORDER));
        let mut parts = vec![Part::Train; self.counts.len()];
        let tested = match plan.fold {
            Some(fold) => self.fold(&order, fold.of, fold.index),
            None => self.share(&order, plan.test, least(plan)),
        };
        self.check(plan, tested.len() as u64)?;
        for group in tested {
            parts[group] = Part::Test;
        }
        order.retain(|group| parts[*group] == Part::Train);
        let validated = match plan.validated_fold() {
            Some(fold) => self.fold(&order, fold.of, fold.index),
            None => self.share(&order, plan.validation, 1),
        };
        for group in validated {
            parts[group] = Part::Validation;
        }
        let mut train = vec![0; self.strata];
        let trained = self.counts.iter().zip(&parts).filter(|(_, part)| **part == Part::Train);
        trained.flat_map(|(counts, _)| counts).for_each(|(stratum, rows)| train[*stratum] += rows);
        Ok(GroupParts { numbers: self.numbers, parts, train })
    }

    /// Checks that there is a group for every fold.
    fn check_folds(&self, plan: &SplitPlan) -> Result<()> {
        let groups = self.counts.len() as u64;
        let Some(fold) = plan.fold.filter(|fold| fold.of > groups) else { return Ok(()) };
        let known = counted(groups, "group");
        let problem = format!("asks for {} folds of {known}; use at most one fold per group", fold.of);
        Err(Error::key("data.fold", problem))
    }

    /// Checks that every part can have a group, where so many are tested on.
    fn check(&self, plan: &SplitPlan, tested: u64) -> Result<()> {
        let groups = self.counts.len() as u64;
        let known = counted(groups, "group");
        if let Some(bag) = plan.bag.filter(|bag| tested + bag.of > groups) {
            let problem =
                format!("deals {known} to {} folds besides those tested on; use fewer folds", bag.of);
            return Err(Error::key("data.bag", problem));
        }
        let needed = tested + least(plan);
        if needed > groups {
            let problem = format!(
                "tells {known} apart, and the splits need {needed}: rows of a group are never in two of them; choose a \
                 column with more groups, or hold out fewer splits"
            );
            return Err(Error::key("data.group", problem));
        }
        Ok(())
    }

    /// The groups of one of `folds` folds. The largest groups are dealt first, as in scikit-learn's `GroupKFold`.
    fn fold(&self, order: &[usize], folds: u64, index: u64) -> Vec<usize> {
        let mut order = order.to_vec();
        order.sort_by_key(|group| std::cmp::Reverse(self.rows(*group)));
        #[allow(clippy::cast_precision_loss, reason = "a number of folds")]
        let shares: Vec<f64> = (0..folds).map(|_| 1.0 / folds as f64).collect();
        self.dealt(&order, &shares, index - 1)
    }

    /// The groups that are held out as a share of the rows: one at least, and so few that `least` are left.
    fn share(&self, order: &[usize], share: f64, least: u64) -> Vec<usize> {
        if share == 0.0 {
            return Vec::new();
        }
        let mut held = self.dealt(order, &[1.0 - share, share], 1);
        if held.is_empty() {
            held.extend(order.iter().copied().min_by_key(|group| self.rows(*group)));
        }
        while held.len() > 1 && ((order.len() - held.len()) as u64) < least {
            let kept = held.iter().copied().min_by_key(|group| self.rows(*group));
            held.retain(|group| Some(*group) != kept);
        }
        held
    }

    /// The groups in this order that are dealt to a part, of parts with these shares of the rows.
    fn dealt(&self, order: &[usize], shares: &[f64], part: u64) -> Vec<usize> {
        let counts: Vec<&GroupCounts> = order.iter().map(|group| &self.counts[*group]).collect();
        let parts = deal(&counts, self.strata, shares);
        let own = order.iter().zip(parts).filter(|(_, own)| *own as u64 == part);
        own.map(|(group, _)| *group).collect()
    }

    fn rows(&self, group: usize) -> u64 {
        self.counts[group].iter().map(|(_, rows)| rows).sum()
    }
}

/// The groups that are needed besides those that are tested on.
fn least(plan: &SplitPlan) -> u64 {
    plan.bag.map_or_else(|| 1 + u64::from(plan.validation > 0.0), |bag| bag.of)
}

impl GroupParts {
    /// The part of the group with this name, if it was counted.
    pub fn part(&self, name: &str) -> Option<Part> {
        self.numbers.get(name).map(|group| self.parts[*group])
    }

    /// An assigner of the rows to train on, of which a limit leaves some unused.
    pub fn assigner(&self, plan: &SplitPlan, seed: u64) -> Result<Assigner> {
        Assigner::new(&SplitPlan { limit: plan.limit, ..SplitPlan::default() }, &self.train, seed)
    }

    /// The number of groups of a part.
    pub fn count(&self, part: Part) -> u64 {
        self.parts.iter().filter(|own| **own == part).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bag, Fold};
    use super::*;

    /// Groups with rows of two classes: `(class 0, class 1)` each.
    fn groups(of: &[(u64, u64)]) -> Groups {
        let mut groups = Groups::new(2);
        for (group, (zeros, ones)) in of.iter().enumerate() {
            (0..*zeros).for_each(|_| groups.add(&group.to_string(), 0));
            (0..*ones).for_each(|_| groups.add(&group.to_string(), 1));
        }
        groups
    }

    fn parts(of: &[(u64, u64)], plan: &SplitPlan, seed: u64) -> Vec<Part> {
        let assigned = groups(of).assign(plan, seed).unwrap();
        (0..of.len()).map(|group| assigned.part(&group.to_string()).unwrap()).collect()
    }

    fn rows(of: &[(u64, u64)], parts: &[Part], part: Part) -> (u64, u64) {
        let own = of.iter().zip(parts).filter(|(_, own)| **own == part);
        own.fold((0, 0), |sum, (rows, _)| (sum.0 + rows.0, sum.1 + rows.1))
    }

    #[test]
    fn parts_have_their_shares_of_every_class_as_nearly_as_groups_allow() {
        // 100 groups of 1 to 10 rows, some of one class and some of both.
        let of: Vec<(u64, u64)> = (0..100).map(|i| (i * 7 % 11 * (i % 3 % 2), 1 + i * 5 % 9)).collect();
        let all = rows(&of, &[Part::Train; 100], Part::Train);
        let plan = SplitPlan { test: 0.2, validation: 0.25, ..SplitPlan::default() };
        for seed in 0..5 {
            let parts = parts(&of, &plan, seed);
            for part in [Part::Test, Part::Validation] {
                let held = rows(&of, &parts, part);
                // One group, of ten rows at most, is the least that a part can differ by.
                assert!(
                    held.0.abs_diff(all.0 / 5) <= 10 && held.1.abs_diff(all.1 / 5) <= 10,
                    "{held:?} of {all:?}"
                );
            }
        }
        assert_ne!(parts(&of, &plan, 0), parts(&of, &plan, 1));
        assert_eq!(parts(&of, &plan, 1), parts(&of, &plan, 1));
    }

    #[test]
    fn folds_test_every_group_once_and_are_of_like_size() {
        let of: Vec<(u64, u64)> = (0..23).map(|i| (1 + i % 5, i % 4)).collect();
        let fold = |index| SplitPlan { fold: Some(Fold { index, of: 4 }), ..SplitPlan::default() };
        let folds: Vec<Vec<Part>> = (1..=4).map(|index| parts(&of, &fold(index), 2)).collect();
        for group in 0..of.len() {
            assert_eq!(folds.iter().filter(|fold| fold[group] == Part::Test).count(), 1);
        }
        let sizes = folds.iter().map(|fold| rows(&of, fold, Part::Test)).map(|(a, b)| a + b);
        let (least, most) = (sizes.clone().min().unwrap(), sizes.max().unwrap());
        assert!(most - least <= 3, "{least} to {most}");
    }

    #[test]
    fn runs_of_a_bag_validate_on_other_groups_each() {
        let of = vec![(2, 2); 12];
        let plan = SplitPlan { test: 0.25, ..SplitPlan::default() };
        let bag = |index| SplitPlan { bag: Some(Bag { index: Some(index), of: 3 }), ..plan };
        let runs: Vec<Vec<Part>> = (1..=3).map(|index| parts(&of, &bag(index), 7)).collect();
        for group in 0..of.len() {
            let is_tested = parts(&of, &plan, 7)[group] == Part::Test;
            let validated = runs.iter().filter(|run| run[group] == Part::Validation).count();
            assert_eq!(validated, usize::from(!is_tested));
        }
    }

    #[test]
    fn few_groups_fill_every_part_or_are_an_error() {
        let plan = SplitPlan { test: 0.1, validation: 0.1, ..SplitPlan::default() };
        for seed in 0..20 {
            for of in [vec![(1, 1); 3], vec![(9, 1), (1, 0), (50, 50)]] {
                let parts = parts(&of, &plan, seed);
                let has = |part: Part| parts.iter().filter(|own| **own == part).count() == 1;
                assert!(has(Part::Train) && has(Part::Validation) && has(Part::Test), "{parts:?}");
            }
            let large = SplitPlan { test: 0.9, ..plan };
            assert!(parts(&[(2, 2); 6], &large, seed).contains(&Part::Train));
            let bag =
                SplitPlan { bag: Some(Bag { index: Some(1), of: 4 }), test: 0.9, ..SplitPlan::default() };
            assert!(parts(&[(2, 2); 6], &bag, seed).contains(&Part::Train));
        }
        let error = groups(&[(4, 4), (2, 2)]).assign(&plan, 1).unwrap_err().to_string();
        assert!(
            error.contains("data.group") && error.contains("2 groups apart, and the splits need 3"),
            "{error}"
        );
        let folds = SplitPlan { fold: Some(Fold { index: 1, of: 3 }), ..SplitPlan::default() };
        let error = groups(&[(4, 4), (2, 2)]).assign(&folds, 1).unwrap_err().to_string();
        assert!(error.contains("3 folds of 2 groups"), "{error}");
        let halves =
            SplitPlan { fold: Some(Fold { index: 2, of: 2 }), validation: 0.1, ..SplitPlan::default() };
        let error = groups(&[(90, 90), (1, 1), (1, 1), (1, 1)]).assign(&halves, 1).unwrap_err().to_string();
        assert!(error.contains("4 groups apart, and the splits need 5"), "{error}");
    }

    #[test]
    fn a_limit_leaves_rows_to_train_on_unused() {
        let assigned =
            groups(&[(10, 10); 10]).assign(&SplitPlan { test: 0.5, ..SplitPlan::default() }, 1).unwrap();
        let trained = 20 * assigned.count(Part::Train);
        let assigner = assigned.assigner(&SplitPlan { limit: Some(30), ..SplitPlan::default() }, 1).unwrap();
        let limited = assigner.limited().unwrap();
        assert_eq!((limited.used, limited.of), (30, trained));
    }
}
