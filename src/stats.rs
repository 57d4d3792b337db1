//! Quantiles, the normal distribution, and counts as numbers to calculate with.

pub(crate) mod normal;

/// 2⁵³: up to it an f64 has every whole number.
pub(crate) const EXACT: f64 = 9_007_199_254_740_992.0;

/// A count as a number to calculate with.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn real(count: usize) -> f64 {
    count as f64
}

/// A number between two neighbours of a sorted list, as numpy.percentile has it; 0 of an empty one.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a place in a list"
)]
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

/// Numbers in order that count as often as their weights say.
pub(crate) struct Weighted {
    numbers: Vec<f64>,
    /// The sum of the weights up to each number, itself included.
    ends: Vec<f64>,
}

impl Weighted {
    /// Numbers with their weights, 0 or more. Weights less than 1 are scaled up, so that the least is 1.
    pub(crate) fn new(weighted: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut weighted: Vec<_> = weighted.filter(|(_, weight)| *weight > 0.0).collect();
        weighted.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
        let least = weighted.iter().fold(1.0, |least: f64, (_, weight)| least.min(*weight));
        let ends = weighted.iter().scan(0.0, |end, (_, weight)| {
            *end += weight / least;
            Some(*end)
        });
        Self { ends: ends.collect(), numbers: weighted.iter().map(|(number, _)| *number).collect() }
    }

    /// As [`quantile`] of the numbers, each repeated as often as its weight says; 0 of none.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let Some(total) = self.ends.last() else { return 0.0 };
        let place = share * (total - 1.0);
        // The sums are rounded.
        let is_before = |end: &f64, place: f64| *end <= place + 1e-9 * total;
        let at = |place| self.ends.partition_point(|end| is_before(end, place)).min(self.numbers.len() - 1);
        let at = |place| self.numbers[at(place)];
        let (below, above) = (at(place.floor()), at(place.floor() + 1.0));
        below + (above - below) * place.fract()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_numpys() {
        // numpy.percentile([1, 2, 3, 4, 10], [25, 50, 75]) is [2, 3, 4]; of [1, 2, 3, 4] it is [1.75, 2.5, 3.25].
        for (numbers, expected) in
            [(&[1.0, 2.0, 3.0, 4.0, 10.0][..], [2.0, 3.0, 4.0]), (&[1.0, 2.0, 3.0, 4.0], [1.75, 2.5, 3.25])]
        {
            for (share, expected) in [0.25, 0.5, 0.75].into_iter().zip(expected) {
                assert!((quantile(numbers, share) - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn quantiles_with_weights_are_those_of_repeated_numbers() {
        let (numbers, weights) = ([3.0, 1.0, 10.0, 2.0, 7.0], [2.0, 1.0, 3.0, 0.0, 1.0]);
        // numpy.repeat and numpy.sort
        let repeated = [1.0, 3.0, 3.0, 7.0, 10.0, 10.0, 10.0];
        for share in [0.0, 0.1, 0.25, 0.5, 0.6, 0.9, 1.0] {
            for scale in [1.0, 0.001] {
                let weighted = Weighted::new(numbers.into_iter().zip(weights.map(|weight| weight * scale)));
                let (ours, expected) = (weighted.quantile(share), quantile(&repeated, share));
                assert!((ours - expected).abs() < 1e-9, "{share} {scale}: {ours}, not {expected}");
            }
        }
        assert_eq!(Weighted::new(std::iter::empty()).quantile(0.5).to_bits(), 0);
    }
}
