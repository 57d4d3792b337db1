//! Rows in time order: held-out rows follow the training rows.

use std::ops::Range;

use super::quota::rows_of_share;
use super::{Limited, Part, SplitPlan};

/// The rows of each part of a series, in time order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSplit {
    /// The rows to train on: the earliest ones that are used.
    pub train: Range<usize>,
    /// The rows that judge the epochs: those that follow.
    pub validation: Range<usize>,
    /// The rows that judge the end: the last ones, or those of a fold.
    pub test: Range<usize>,
}

impl TimeSplit {
    /// The part of a row.
    pub fn part(&self, row: usize) -> Part {
        match row {
            row if self.train.contains(&row) => Part::Train,
            row if self.validation.contains(&row) => Part::Validation,
            row if self.test.contains(&row) => Part::Test,
            _ => Part::Unused,
        }
    }

    /// Splits `rows` rows at points in time. A share is the latest part of the rows; a fold is tested on the rows that follow
    /// those that it trains on, as in scikit-learn's `TimeSeriesSplit`; a limit keeps the latest
    /// of the rows before the test split.
    pub fn new(plan: &SplitPlan, rows: usize) -> Self {
        let share = |of: f64, rows: usize| usize::try_from(rows_of_share(of, rows as u64)).unwrap_or(rows);
        let test = match plan.fold {
            Some(fold) => {
                let parts = usize::try_from(fold.of).unwrap_or(usize::MAX).saturating_add(1);
                let each = rows / parts;
                let later = usize::try_from(fold.of.saturating_sub(fold.index)).unwrap_or(0);
                rows - each * (later + 1)..rows - each * later
            }
            None => rows - share(plan.test, rows)..rows,
        };
        let limit = plan.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let first = test.start.saturating_sub(limit);
        let train = test.start - share(plan.validation, test.start - first);
        Self { train: first..train, validation: train..test.start, test }
    }

    /// The effect of the limit, if there is one.
    pub fn limited(&self) -> Option<Limited> {
        let before = self.test.start as u64;
        let unused = self.train.start as u64;
        (unused > 0).then_some(Limited { used: before - unused, of: before })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Fold;
    use super::*;

    fn parts(plan: &SplitPlan, rows: usize) -> [Range<usize>; 3] {
        let TimeSplit { train, validation, test } = TimeSplit::new(plan, rows);
        [train, validation, test]
    }

    #[test]
    fn shares_are_the_latest_rows() {
        // scikit-learn: train_test_split(range(17), test_size=0.2, shuffle=False) leaves 13 and 4 rows, and of 13 rows
        // test_size=0.1 leaves 11 and 2.
        let plan = SplitPlan { test: 0.2, validation: 0.1, ..SplitPlan::default() };
        assert_eq!(parts(&plan, 17), [0..11, 11..13, 13..17]);
        let plan = SplitPlan { limit: Some(5), ..plan };
        assert_eq!(parts(&plan, 17), [8..12, 12..13, 13..17]);
        let limited = TimeSplit::new(&plan, 17).limited();
        assert_eq!(limited, Some(Limited { used: 5, of: 13 }));
        assert_eq!(parts(&SplitPlan::default(), 17), [0..17, 17..17, 17..17]);
    }

    #[test]
    fn folds_are_those_of_time_series_split() {
        // TimeSeriesSplit(3).split(range(14)): trained on 5, 8 and 11 rows, tested on the 3 that follow.
        for (index, start) in [(1, 5), (2, 8), (3, 11)] {
            let plan = SplitPlan { fold: Some(Fold { index, of: 3 }), ..SplitPlan::default() };
            assert_eq!(parts(&plan, 14), [0..start, start..start, start..start + 3]);
        }
    }
}
