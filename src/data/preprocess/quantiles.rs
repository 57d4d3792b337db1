//! Numbers mapped to a normal distribution by their quantiles: scikit-learn's
//! `QuantileTransformer(output_distribution="normal", subsample=None)`.

use serde::{Deserialize, Serialize};

use crate::stats::{normal, quantile, real};

/// The most quantiles that are kept.
pub(crate) const MOST: usize = 1000;

/// The largest number of the normal distribution: the one whose share is as near to 1 as [`BOUND`].
const LARGEST: f64 = 5.199_337_582_605_575;

/// So near to 0 or 1 a share counts as that one. So near to the smallest or the largest training number a number does: of numbers
/// whose range is below 1 this fraction of the range.
const BOUND: f64 = 1e-7;

/// Evenly spaced quantiles of the training numbers, from the smallest to the largest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantiles(Vec<f64>);

impl Quantiles {
    /// The quantiles of sorted numbers: as many as there are numbers, 1000 at most.
    pub(in crate::data) fn fit(sorted: &[f64]) -> Self {
        let count = sorted.len().clamp(1, MOST);
        let last = real(count.saturating_sub(1).max(1));
        Self((0..count).map(|place| quantile(sorted, real(place) / last)).collect())
    }

    /// The quantiles, in order.
    pub fn numbers(&self) -> &[f64] {
        &self.0
    }

    /// The number of the normal distribution that has `x`'s share of the training numbers below it.
    pub fn to_normal(&self, x: f64) -> f64 {
        let bound = self.bound();
        let share = match self.0.as_slice() {
            [smallest, ..] if x - bound < *smallest => 0.0,
            [.., largest] if x + bound > *largest => 1.0,
            numbers => f64::midpoint(share_below(numbers, x, false), share_below(numbers, x, true)),
        };
        normal::quantile(share).clamp(-LARGEST, LARGEST)
    }

    /// The distance from the smallest or the largest number within which a number counts as that one.
    fn bound(&self) -> f64 {
        let range = match self.0.as_slice() {
            [smallest, .., largest] => largest - smallest,
            _ => 0.0,
        };
        if range > 0.0 { BOUND * range.min(1.0) } else { BOUND }
    }

    /// The number that [`Self::to_normal`] maps to `z`.
    pub fn from_normal(&self, z: f64) -> f64 {
        let share = normal::cdf(z);
        let (first, last) = (self.0.first().copied(), self.0.last().copied());
        if share - BOUND < 0.0 || share.is_nan() {
            return first.filter(|_| !share.is_nan()).unwrap_or(f64::NAN);
        }
        if share + BOUND > 1.0 {
            return last.unwrap_or(f64::NAN);
        }
        quantile(&self.0, share)
    }
}

/// The share of `x` between the quantiles around it, as `numpy.interp`: where several are equal to it, that of the last one,
/// or of the first.
fn share_below(numbers: &[f64], x: f64, is_first: bool) -> f64 {
    let last = numbers.len().saturating_sub(1);
    let above = if is_first {
        numbers.partition_point(|number| *number < x)
    } else {
        numbers.partition_point(|number| *number <= x)
    };
    let of = |place: usize| real(place) / real(last.max(1));
    match above {
        0 => 0.0,
        above if above > last => 1.0,
        above => {
            let (low, high) = (numbers[above - 1], numbers[above]);
            of(above - 1) + (x - low) / (high - low) * (of(above) - of(above - 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::preprocess::{TargetCurve, TargetScale};

    fn close(ours: &[f64], expected: &[f64]) {
        assert_eq!(ours.len(), expected.len());
        for (ours, expected) in ours.iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-9, "{ours} is not {expected}");
        }
    }

    #[test]
    fn numbers_become_normal_as_in_scikit_learn() {
        let quantiles = Quantiles::fit(&[1.0, 1.0, 2.0, 3.0, 3.0, 4.0, 5.0, 5.0, 5.0, 6.0, 9.0]);
        let numbers = [0.0, 1.0, 1.5, 2.0, 3.0, 3.5, 5.0, 5.5, 9.0, 10.0].map(|x| quantiles.to_normal(x));
        let (low, high) = (-5.199_337_582_605_575, 5.199_337_582_703_42);
        let between = [-1.036_433_389_493_789_8, -0.841_621_233_572_914_2, -0.385_320_466_407_567_6];
        let above = [-0.125_661_346_855_074_02, 0.524_400_512_708_041, 1.036_433_389_493_789_8];
        close(&numbers, &[&[low, low], &between[..], &above, &[high, high]].concat());
        let back = [-6.0, -1.3, -0.2, 0.0, 0.4, 2.0, 6.0].map(|z| quantiles.from_normal(z));
        close(&back, &[1.0, 1.0, 3.207_402_905_608_969, 4.0, 5.0, 8.317_496_041_554_623, 9.0]);
        close(&[2.0, 3.0, 1.0].map(|x| Quantiles::fit(&[2.0; 5]).to_normal(x)), &[low, high, low]);
    }

    /// The shares of numbers do not depend on their unit: these are scikit-learn's of the same numbers times 1e9, as of which
    /// nothing is as near as 1e-7.
    #[test]
    fn small_numbers_become_normal_as_large_ones_do() {
        let (numbers, queries) =
            ([1.0, 2.0, 5.0, 7.0, 20.0, 50.0], [0.5, 1.0, 1.5, 5.0, 10.0, 40.0, 50.0, 60.0]);
        let (low, high) = (-5.199_337_582_605_575, 5.199_337_582_703_42);
        let middle = [-1.281_551_565_544_600_4, -0.253_347_103_135_799_7, 0.374_957_186_572_557_44];
        let expected = [&[low, low], &middle[..], &[1.501_085_946_044_025, high, high]].concat();
        let values = [1.0, 3.628_063_080_889_803_3, 8.164_242_442_281_916, 50.0];
        for unit in [1.0, 1e-3, 1e-9, 1e-30] {
            let quantiles = Quantiles::fit(&numbers.map(|number| number * unit));
            close(&queries.map(|query| quantiles.to_normal(query * unit)), &expected);
            close(&[-6.0, -0.5, 0.3, 6.0].map(|z| quantiles.from_normal(z) / unit), &values);
            // As a target.
            let curve = TargetCurve::Quantile(vec![quantiles]);
            let scale = TargetScale { curve, ..TargetScale::identity(1) };
            let learnt = numbers.map(|number| scale.value(0, number * unit));
            close(&learnt.map(|z| scale.restore(0, z) / unit), &numbers);
        }
    }

    #[test]
    fn of_many_numbers_a_thousand_quantiles_are_kept() {
        let mut many: Vec<f64> =
            (0..3000u32).map(|i| f64::from(i * i % 10007 * 7919 % 10007) / 10.0).collect();
        many.sort_unstable_by(f64::total_cmp);
        let quantiles = Quantiles::fit(&many);
        assert_eq!(quantiles.numbers().len(), 1000);
        let numbers = [0.05, 17.3, 500.0, 999.9, 1000.0].map(|x| quantiles.to_normal(x));
        let expected = [-3.764_740_341_522_753, -2.062_455_443_900_422, 0.022_570_411_536_479_273];
        close(&numbers, &[&expected[..], &[3.651_111_378_082_892, 3.753_946_576_933_250_5]].concat());
        let back = [-3.0, -0.5, 0.25, 2.5].map(|z| quantiles.from_normal(z));
        let expected = [0.809_529_280_559_478_3, 298.787_073_623_173_6, 585.038_122_558_101_5];
        close(&back, &[&expected[..], &[994.115_278_500_546_5]].concat());
    }
}
