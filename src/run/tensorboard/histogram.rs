//! The histogram of a tensor's elements.

use crate::protobuf::Message;

/// Counts in buckets of equal width between the smallest and the largest number.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Histogram {
    /// The smallest number.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
    /// The number of elements.
    pub(crate) count: f64,
    /// Their sum.
    pub(crate) sum: f64,
    /// The sum of their squares.
    pub(crate) squares: f64,
    /// The upper ends of the buckets.
    pub(crate) limits: Vec<f64>,
    /// The numbers in each.
    pub(crate) counts: Vec<f64>,
}

const BUCKETS: u32 = 30;

impl Histogram {
    /// The histogram of these numbers without those that are not finite.
    pub(crate) fn of(numbers: &[f64]) -> Self {
        let finite = || numbers.iter().copied().filter(|number| number.is_finite());
        let (min, max) =
            finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), x| (min.min(x), max.max(x)));
        if min > max {
            return Self::default();
        }
        let buckets = if min < max { BUCKETS } else { 1 };
        let width = (max - min) / f64::from(buckets);
        let mut histogram = Self { min, max, counts: vec![0.0; buckets as usize], ..Self::default() };
        histogram.limits = (1..=buckets).map(|n| min + width * f64::from(n)).collect();
        for number in finite() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bucket's number")]
            let bucket = if width > 0.0 { ((number - min) / width) as usize } else { 0 };
            histogram.counts[bucket.min(buckets as usize - 1)] += 1.0;
            histogram.count += 1.0;
            histogram.sum += number;
            histogram.squares += number * number;
        }
        histogram
    }

    pub(super) fn message(&self) -> Message {
        let Self { min, max, count, sum, squares, limits, counts } = self;
        let numbers = [(1, min), (2, max), (3, count), (4, sum), (5, squares)];
        let message = numbers
            .iter()
            .fold(Message::default(), |message, (field, value)| message.double(*field, **value));
        message.doubles(6, limits).doubles(7, counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_number_is_counted_once() {
        let numbers: Vec<f64> =
            (0..1000).map(|n| f64::from(n) / 10.0 - 3.0).chain([f64::NAN, f64::INFINITY]).collect();
        let histogram = Histogram::of(&numbers);
        assert_eq!((histogram.min, histogram.max, histogram.count), (-3.0, 96.9, 1000.0));
        assert!((histogram.counts.iter().sum::<f64>() - 1000.0).abs() < 1e-9);
        assert!(histogram.limits.windows(2).all(|pair| pair[0] < pair[1]));
        assert!((histogram.limits[29] - 96.9).abs() < 1e-9);
        assert_eq!(Histogram::of(&[2.0; 5]).counts, [5.0]);
        assert_eq!(Histogram::of(&[f64::NAN]), Histogram::default());
    }
}
