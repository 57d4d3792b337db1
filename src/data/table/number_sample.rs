//! The numbers of a column by which its median and other quantiles are found: all of them, or of very many a random sample.

/// Numbers of a column, each with the same probability: Vitter's algorithm R ("Random Sampling with a Reservoir", 1985).
///
/// Up to `most` numbers it is all of them, and quantiles are exact. The rank of a quantile of a sample of n numbers is wrong by
/// at most `sqrt(ln(2 / p) / (2 n))` of all, but for a probability p (Dvoretzky, Kiefer and Wolfowitz; Massart, 1990): with a
/// million numbers 0.2 %, but for one case in a thousand. The same numbers in the same order give the same sample.
#[derive(Debug, Clone, Default)]
pub(super) struct NumberSample {
    numbers: Vec<f64>,
    /// The numbers so far.
    seen: u64,
}

impl NumberSample {
    /// Adds a number to a sample of at most `most`.
    #[inline]
    pub(super) fn add(&mut self, number: f64, most: usize) {
        self.seen += 1;
        if self.numbers.len() < most {
            self.numbers.push(number);
        } else if most > 0 {
            self.replace(number);
        }
    }

    fn replace(&mut self, number: f64) {
        // A whole number below `seen`, by the upper half of a product (Lemire, 2019).
        let place = (u128::from(mixed(self.seen)) * u128::from(self.seen)) >> 64;
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        if let Some(kept) = self.numbers.get_mut(place) {
            *kept = number;
        }
    }

    /// The numbers of the sample in order.
    pub(super) fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.numbers.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }
}

/// 64 random bits of a number: `SplitMix64` (Steele, Lea and Flood, 2014).
fn mixed(number: u64) -> u64 {
    let bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(numbers: impl Iterator<Item = u32>, most: usize) -> Vec<f64> {
        let mut sample = NumberSample::default();
        numbers.for_each(|number| sample.add(f64::from(number), most));
        sample.sorted()
    }

    #[test]
    fn few_numbers_are_all_kept() {
        assert_eq!(sample([3, 1, 2].into_iter(), 3), [1.0, 2.0, 3.0]);
        assert!(sample(0..10, 0).is_empty());
    }

    #[test]
    fn the_quantiles_of_a_sample_are_within_the_bound_whatever_the_order() {
        const COUNT: u32 = 500_000;
        let most = 10_000u32;
        // Of the numbers from 0 on the rank is the number itself. But for one case in a thousand.
        let bound = (2000f64.ln() / (2.0 * f64::from(most))).sqrt() * f64::from(COUNT);
        let orders: [Box<dyn Iterator<Item = u32>>; 3] =
            [Box::new(0..COUNT), Box::new((0..COUNT).rev()), Box::new((0..COUNT).map(|i| i * 7919 % COUNT))];
        for order in orders {
            let sorted = sample(order, most as usize);
            assert_eq!(sorted.len(), most as usize);
            for (place, number) in (0u32..).zip(sorted) {
                let rank = f64::from(place) / f64::from(most) * f64::from(COUNT);
                assert!((number - rank).abs() < bound, "{number} at {place}");
            }
        }
    }
}
