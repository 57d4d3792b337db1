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
}
