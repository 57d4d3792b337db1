//! Mean, variance and extremes of a stream of numbers.

use crate::stats::real;

/// Mean, variance and extremes, updated number by number (Welford 1962).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::data) struct Moments {
    /// The numbers.
    pub(in crate::data) count: f64,
    /// The sum of their weights.
    weight: f64,
    pub(in crate::data) mean: f64,
    squares: f64,
    pub(in crate::data) min: f64,
    pub(in crate::data) max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { count: 0.0, weight: 0.0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    /// The moments of these numbers.
    pub(in crate::data) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut moments = Self::default();
        numbers.into_iter().for_each(|x| moments.add(x, 1.0));
        moments
    }

    /// Adds a number that counts so many times.
    pub(in crate::data) fn add(&mut self, x: f64, weight: f64) {
        self.count += 1.0;
        if weight == 0.0 {
            return;
        }
        self.weight += weight;
        let from_mean = x - self.mean;
        self.mean += weight * from_mean / self.weight;
        self.squares += weight * from_mean * (x - self.mean);
        self.min = self.min.min(x);
        self.max = self.max.max(x);
    }

    /// Adds these rows of some columns, of which none is NaN, to the moments of each: to the same bits as [`Self::add`] with the
    /// weight 1. The columns' divisions are independent, so one instruction does two or four.
    pub(super) fn add_rows<const N: usize>(all: &mut [Self; N], columns: [&[f64]; N], rows: &[usize]) {
        let [mut weight, mut mean, mut squares] =
            [all.map(|m| m.weight), all.map(|m| m.mean), all.map(|m| m.squares)];
        let (mut min, mut max) = (all.map(|m| m.min), all.map(|m| m.max));
        for row in rows {
            for lane in 0..N {
                let x = columns[lane][*row];
                weight[lane] += 1.0;
                let from_mean = x - mean[lane];
                mean[lane] += from_mean / weight[lane];
                squares[lane] += from_mean * (x - mean[lane]);
                min[lane] = min[lane].min(x);
                max[lane] = max[lane].max(x);
            }
        }
        let rows = real(rows.len());
        *all = std::array::from_fn(|lane| Self {
            count: all[lane].count + rows,
            weight: weight[lane],
            mean: mean[lane],
            squares: squares[lane],
            min: min[lane],
            max: max[lane],
        });
    }

    /// Adds a row of some columns, to the same bits. NaN is left out.
    #[inline]
    pub(super) fn add_row<const N: usize>(all: &mut [Self; N], row: [f64; N]) {
        for (moments, x) in all.iter_mut().zip(row) {
            if x.is_nan() {
                continue;
            }
            moments.count += 1.0;
            moments.weight += 1.0;
            let from_mean = x - moments.mean;
            moments.mean += from_mean / moments.weight;
            moments.squares += from_mean * (x - moments.mean);
            moments.min = moments.min.min(x);
            moments.max = moments.max.max(x);
        }
    }

    /// The biased standard deviation, as in scikit-learn's `StandardScaler`; 1 if all numbers are equal.
    pub(in crate::data) fn std(&self) -> f64 {
        let std = (self.squares / self.weight).sqrt();
        if self.max > self.min && std > 0.0 { std } else { 1.0 }
    }

    /// Whether these are all of `count` values.
    #[allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "counts of rows")]
    pub(super) fn are_all_of(&self, count: u64) -> bool {
        count > 0 && self.count == count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_the_populations() {
        let moments = Moments::of([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert!((moments.mean - 5.0).abs() < 1e-12 && (moments.std() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_weight_is_as_many_numbers() {
        let (mut weighted, mut repeated) = (Moments::default(), Moments::default());
        for (x, weight) in [(2.0, 1), (-4.0, 3), (9.0, 0), (5.5, 2)] {
            weighted.add(x, f64::from(weight));
            (0..weight).for_each(|_| repeated.add(x, 1.0));
        }
        assert!(
            (weighted.mean - repeated.mean).abs() < 1e-12 && (weighted.std() - repeated.std()).abs() < 1e-12
        );
        assert_eq!(
            (weighted.min.to_bits(), weighted.max.to_bits()),
            (repeated.min.to_bits(), repeated.max.to_bits())
        );
    }
}
