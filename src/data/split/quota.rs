//! How many rows of each stratum a part gets.

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

/// How many rows of each stratum a share holds out, by the largest remainder: every stratum gets its exact quota
/// rounded down, and the rows that are left go to the strata that lost most, ties in random order. These are the counts of
/// scikit-learn's `StratifiedShuffleSplit`, except that every stratum keeps a row to train on; scikit-learn refuses
/// strata of one row, which are left out of the count here.
pub(super) fn stratified(counts: &[u64], share: f64, ties: &mut Stream) -> Vec<u64> {
    let rows: u64 = counts.iter().filter(|count| **count > 1).sum();
    let held = rows_of_share(share, rows);
    let most = |stratum: usize| counts[stratum].saturating_sub(1);
    let quota = |stratum: usize| match counts[stratum] {
        0 | 1 => (0, 0),
        count => divided(held, count, rows),
    };
    let mut of: Vec<u64> = (0..counts.len()).map(|stratum| quota(stratum).0.min(most(stratum))).collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.shuffle(ties);
    order.sort_by_key(|stratum| std::cmp::Reverse(quota(*stratum).1));
    let mut left = held.saturating_sub(of.iter().sum());
    for stratum in order {
        if left > 0 && of[stratum] < most(stratum) {
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

/// How many rows of each stratum each of `folds` folds gets, `[stratum][fold]`: the rows of all strata are dealt round
/// the folds one after another, as in scikit-learn's `StratifiedKFold`.
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
        // scikit-learn's of [30, 30], which it gives where the class of one row is dropped.
        assert_eq!(held(&[30, 30, 1], 0.5), [15, 15, 0]);
        // scikit-learn holds both rows of the third class out here.
        assert_eq!(held(&[30, 30, 2], 0.9).iter().sum::<u64>(), 56);
        assert_eq!(held(&[30, 30, 2], 0.9)[2], 1);
        assert_eq!(held(&[1, 1, 0], 0.5), [0, 0, 0]);
        assert_eq!(held(&[5], 0.999), [4]);
    }

    #[test]
    fn ties_are_broken_by_the_seed() {
        let with = |seed| stratified(&[4; 30], 0.1, &mut Stream::new(seed, Purpose::Split, 0));
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
        assert!((1..9).all(|seed| with(seed).iter().sum::<u64>() == 12));
    }
}
