//! The number of rows that a part gets of each stratum.

use rand::seq::SliceRandom;

use crate::rng::Stream;

/// The number of rows that a share of `rows` is: scikit-learn's `ceil(test_size * n_samples)`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a count of rows"
)]
pub(super) fn rows_of_share(share: f64, rows: u64) -> u64 {
    ((share * rows as f64).ceil() as u64).min(rows)
}

/// The number of rows that a share holds out of each stratum, by the largest remainder: every stratum gets its exact
/// quota rounded down, and the remaining rows go to the strata that lost most, ties in random order. These are the
/// counts of scikit-learn's `StratifiedShuffleSplit`, except that every stratum keeps a row to train on; scikit-learn
/// refuses strata of one row, which are left out of the count here.
pub(super) fn stratified(counts: &[u64], share: f64, ties: &mut Stream) -> Vec<u64> {
    let divided: Vec<u64> = counts.iter().map(|count| if *count > 1 { *count } else { 0 }).collect();
    let held = rows_of_share(share, divided.iter().sum());
    apportioned(held, &divided, |count| count.saturating_sub(1), ties)
}

/// The number of rows that are drawn of each stratum if `limit` of all are, by the largest remainder: the counts of
/// scikit-learn's `train_test_split(train_size=limit, stratify=y)`.
pub(super) fn drawn(counts: &[u64], limit: u64, ties: &mut Stream) -> Vec<u64> {
    apportioned(limit.min(counts.iter().sum()), counts, |count| count, ties)
}

/// Divides `held` places among strata with `counts` rows; none gets more than `most` of its count.
fn apportioned(held: u64, counts: &[u64], most: impl Fn(u64) -> u64, ties: &mut Stream) -> Vec<u64> {
    let rows: u64 = counts.iter().sum();
    let quota = |stratum: usize| divided(held, counts[stratum], rows.max(1));
    let mut of: Vec<u64> =
        (0..counts.len()).map(|stratum| quota(stratum).0.min(most(counts[stratum]))).collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.shuffle(ties);
    order.sort_by_key(|stratum| std::cmp::Reverse(quota(*stratum).1));
    let mut left = held.saturating_sub(of.iter().sum());
    for stratum in order {
        if left > 0 && of[stratum] < most(counts[stratum]) {
            of[stratum] += 1;
            left -= 1;
        }
    }
    of
}

/// `held * count / rows` and its remainder.
fn divided(held: u64, count: u64, rows: u64) -> (u64, u64) {
    let (product, rows) = (u128::from(held) * u128::from(count), u128::from(rows));
    let whole = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
    (whole(product / rows), whole(product % rows))
}

/// The number of rows that each of `folds` folds gets of each stratum, `[stratum][fold]`: the rows of all strata are
/// dealt round the folds one after another, as in scikit-learn's `StratifiedKFold`.
pub(super) fn folded(counts: &[u64], folds: u64) -> Vec<Vec<u64>> {
    let mut first = 0;
    let mut deal = |count: &u64| {
        let (each, rest) = (count / folds, count % folds);
        let fold = |index: u64| each + u64::from((index + folds - first) % folds < rest);
        let free = (0..folds).map(fold).collect();
        first = (first + rest) % folds;
        free
    };
    counts.iter().map(&mut deal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    fn held(counts: &[u64], share: f64) -> Vec<u64> {
        stratified(counts, share, &mut Stream::new(1, Purpose::Split, 0))
    }

    #[test]
    fn a_stratum_keeps_a_row_to_train_on() {
        // As scikit-learn splits [30, 30], with the class of one row dropped.
        assert_eq!(held(&[30, 30, 1], 0.5), [15, 15, 0]);
        // scikit-learn holds both rows of the third class out here.
        assert_eq!(held(&[30, 30, 2], 0.9).iter().sum::<u64>(), 56);
        assert_eq!(held(&[30, 30, 2], 0.9)[2], 1);
        assert_eq!(held(&[1, 1, 0], 0.5), [0, 0, 0]);
        assert_eq!(held(&[5], 0.999), [4]);
    }

    #[test]
    fn a_limit_draws_as_many_rows_of_each_class_as_scikit_learn() {
        let of = |counts: &[u64], limit| {
            let mut drawn = drawn(counts, limit, &mut Stream::new(1, Purpose::Split, 0));
            drawn.sort_unstable();
            drawn
        };
        // numpy.bincount(train_test_split(y, train_size=limit, stratify=y)[0]), sorted
        assert_eq!(of(&[100, 100, 100], 80), [26, 27, 27]);
        assert_eq!(of(&[900, 90, 10], 100), [1, 9, 90]);
        assert_eq!(of(&[50, 30, 20], 7), [1, 2, 4]);
        assert_eq!(of(&[3, 2], 9), [2, 3]);
    }

    #[test]
    fn ties_are_broken_by_the_seed() {
        let with = |seed| stratified(&[4; 30], 0.1, &mut Stream::new(seed, Purpose::Split, 0));
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
        assert!((1..9).all(|seed| with(seed).iter().sum::<u64>() == 12));
    }
}
