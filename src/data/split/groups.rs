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
        match counts.binary_search_by_key(&stratum, |(own, _)| *own) {
            Ok(place) => counts[place].1 += 1,
            Err(place) => counts.insert(place, (stratum, 1)),
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
        // Large groups are dealt first, while small ones are left to even them out; groups of about the same size in random
        // order.
        order.sort_by_key(|group| std::cmp::Reverse(self.rows(*group).checked_ilog2()));
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
                "has {known}, but the splits need at least {needed}: rows of a group are never in two of them; choose a \
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
mod tests;
