//! Intervals around predicted values by split conformal prediction, whose width depends on the prediction: the held-out rows are
//! put into bins by their predictions, and each bin has its own width (Mondrian conformal regressors: Boström and Johansson 2020,
//! <https://proceedings.mlr.press/v128/bostrom20a.html>). Errors often grow with what is predicted, as those of prices and counts
//! do; with one width for all rows, small values have intervals that are too wide, and large ones too narrow.

use candle_core::{DType, Device, Tensor};

use crate::error::Result;
use crate::stats::real;
use crate::trainer::{HeldOut, HeldOutErrors, PredictionError, held_out_errors};

/// The most bins.
const MOST_BINS: f64 = 10.0;
/// The rows of a bin that are to lie outside its intervals: the fewer they are, the less is known of the width.
const ROWS_OUTSIDE: f64 = 10.0;
/// The relative error of sums of weights and of a level's distance from 1: what is less by so little counts as equal.
const ROUNDING: f64 = 1e-9;

/// A row that was not trained on.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldOutRow {
    pub(super) prediction: f64,
    /// The absolute error.
    pub(super) error: f64,
    pub(super) weight: f64,
}

/// Too few rows for the level.
#[derive(Debug, PartialEq)]
pub(super) struct TooFewRows {
    /// Their weight.
    pub(super) weight: f64,
    /// The weight of a new row.
    pub(super) new: f64,
}

/// The intervals of every target.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Intervals {
    /// The bins of each target, by ascending predictions.
    targets: Vec<Vec<Bin>>,
    /// The least value that a target can have.
    least: f64,
}

/// The predictions up to a value, and from the bin before it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bin {
    up_to: f64,
    /// Half the width of the intervals around them.
    half_width: f64,
}

impl Intervals {
    /// The intervals in which about this fraction of new rows lies, from the held-out rows of each target.
    ///
    /// # Errors
    /// Too few rows for the fraction.
    pub(super) fn new(
        targets: impl Iterator<Item = Vec<HeldOutRow>>,
        level: f64,
    ) -> Result<Self, TooFewRows> {
        let targets = targets.map(|rows| bins(rows, level)).collect::<Result<_, _>>()?;
        Ok(Self { targets, least: f64::NEG_INFINITY })
    }

    /// The same for targets that have no value below `least`.
    pub(crate) fn not_below(self, least: Option<f64>) -> Self {
        Self { least: least.unwrap_or(self.least), ..self }
    }

    /// The number of targets.
    pub(crate) fn targets(&self) -> usize {
        self.targets.len()
    }

    /// The narrowest and the widest half width of a target.
    pub(crate) fn half_widths(&self, target: usize) -> [f64; 2] {
        let widths = self.targets[target].iter().map(|bin| bin.half_width);
        [widths.clone().fold(f64::INFINITY, f64::min), widths.fold(0.0, f64::max)]
    }

    /// Half the width of the interval around a prediction of a target.
    pub(super) fn half_width(&self, target: usize, prediction: f64) -> f64 {
        let bins = &self.targets[target];
        let bin = bins.partition_point(|bin| bin.up_to < prediction).min(bins.len() - 1);
        bins[bin].half_width
    }

    /// The lower and the upper bounds around predictions (N, K) of K targets. They may lie beyond the range that predictions are
    /// kept in, as the values of new rows may.
    pub(crate) fn bounds(&self, predictions: &Tensor) -> Result<[Tensor; 2]> {
        let shape = predictions.dims2()?;
        let rows = predictions.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        let bound = |sign: f64| {
            let of = |(target, prediction): (usize, &f64)| {
                let bound = prediction + sign * self.half_width(target, *prediction);
                // `f64::max` would put the least value in the place of NaN.
                if bound < self.least { self.least } else { bound }
            };
            let bounds: Vec<f64> = rows.iter().flat_map(|row| row.iter().enumerate().map(of)).collect();
            Tensor::from_vec(bounds, shape, &Device::Cpu)
        };
        Ok([bound(-1.0)?, bound(1.0)?])
    }

    /// The fraction of rows, by their weights, whose targets lie in the intervals, for each target.
    pub(crate) fn covered(&self, held_out: HeldOut<'_>) -> Result<Vec<f64>> {
        let HeldOutErrors { targets, weights } = held_out_errors(&[held_out])?;
        let weight = |row: usize| weights.get(row).copied().unwrap_or(1.0);
        let fraction = |(target, rows): (usize, Vec<PredictionError>)| {
            let total: f64 = (0..rows.len()).map(weight).sum();
            let is_within = |own: &PredictionError| own.error <= self.half_width(target, own.prediction);
            let within: f64 =
                (0..).zip(&rows).filter(|(_, own)| is_within(own)).map(|(row, _)| weight(row)).sum();
            within / total.max(f64::MIN_POSITIVE)
        };
        Ok((0..).zip(targets).map(fraction).collect())
    }
}

/// The bins of one target: as many as leave [`ROWS_OUTSIDE`] rows outside the intervals of each.
fn bins(mut rows: Vec<HeldOutRow>, level: f64) -> Result<Vec<Bin>, TooFewRows> {
    // -0 and 0 are one prediction.
    for row in &mut rows {
        row.prediction += 0.0;
    }
    rows.sort_unstable_by(|a, b| a.prediction.total_cmp(&b.prediction));
    let weight: f64 = rows.iter().map(|row| row.weight).sum();
    // A new row counts as one, or as the mean of the weights where that is less.
    let new = (weight / real(rows.len())).min(1.0);
    let least = ROWS_OUTSIDE / (1.0 - level) * new * (1.0 - ROUNDING);
    let mut left = (weight / least).floor().clamp(1.0, MOST_BINS);
    let (mut bins, mut own, mut own_weight, mut rest) = (Vec::new(), Vec::new(), 0.0, weight);
    // Rows of one prediction stay together.
    for same in rows.chunk_by(|a, b| a.prediction.total_cmp(&b.prediction).is_eq()) {
        own.extend_from_slice(same);
        own_weight += same.iter().map(|row| row.weight).sum::<f64>();
        let is_full = own_weight >= least.max(rest / left * (1.0 - ROUNDING));
        if left > 1.0 && is_full && rest - own_weight >= least {
            bins.push(Bin { up_to: same[0].prediction, half_width: half_width(&mut own, level, new)? });
            (own, rest, left) = (Vec::new(), rest - own_weight, left - 1.0);
            own_weight = 0.0;
        }
    }
    bins.push(Bin { up_to: f64::INFINITY, half_width: half_width(&mut own, level, new)? });
    Ok(bins)
}

/// The smallest error up to which rows of the weight `level` (W + `new`) are, of W in all.
fn half_width(rows: &mut [HeldOutRow], level: f64, new: f64) -> Result<f64, TooFewRows> {
    let weight: f64 = rows.iter().map(|row| row.weight).sum();
    let wanted = level * (weight + new);
    rows.sort_unstable_by(|a, b| a.error.total_cmp(&b.error));
    let mut sum = 0.0;
    let reached = rows.iter().find(|row| {
        sum += row.weight;
        sum >= wanted - ROUNDING * weight
    });
    reached.map(|row| row.error).ok_or(TooFewRows { weight, new })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows whose errors go up to their predictions.
    fn rows(count: usize) -> Vec<HeldOutRow> {
        let row = |i: usize| {
            let prediction = real(i * 7919 % count);
            HeldOutRow { prediction, error: prediction * real(i % 100 + 1) / 100.0, weight: 1.0 }
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn each_bin_covers_the_fraction_that_is_asked_for() {
        for (level, bins) in [(0.5, 10), (0.9, 10), (0.99, 2)] {
            let rows = rows(2_003);
            let intervals = Intervals::new(std::iter::once(rows.clone()), level).unwrap();
            assert_eq!(intervals.targets[0].len(), bins);
            let mut from = f64::NEG_INFINITY;
            for bin in &intervals.targets[0] {
                let is_own = |row: &&HeldOutRow| from < row.prediction && row.prediction <= bin.up_to;
                let own: Vec<_> = rows.iter().filter(is_own).collect();
                let covered = own.iter().filter(|row| row.error <= intervals.half_width(0, row.prediction));
                // The ⌈(n + 1) level⌉ smallest errors, of which no two are equal but by chance.
                let expected = ((real(own.len()) + 1.0) * level).ceil();
                let more = real(covered.count()) - expected;
                assert!((0.0..=1.0).contains(&more), "{level} {}: {more}", bin.up_to);
                from = bin.up_to;
            }
        }
    }

    #[test]
    fn few_rows_are_one_bin_and_equal_predictions_stay_together() {
        let one =
            |rows: Vec<HeldOutRow>| Intervals::new(std::iter::once(rows), 0.9).unwrap().targets[0].len();
        assert_eq!([one(rows(99)), one(rows(199)), one(rows(401))], [1, 1, 4]);
        let mut same = rows(1_001);
        for row in &mut same {
            row.prediction = 3.0;
        }
        assert_eq!(one(same.clone()), 1);
        // A few rows beside many of one prediction join a bin that is large enough.
        same.iter_mut().take(50).for_each(|row| row.prediction = 4.0);
        assert_eq!(one(same.clone()), 1);
        same.iter_mut().take(150).for_each(|row| row.prediction = 4.0);
        assert_eq!(one(same.clone()), 2);
        // Both zeros are one prediction.
        for (at, row) in same.iter_mut().enumerate() {
            row.prediction = if at % 2 == 0 { 0.0 } else { -0.0 };
        }
        assert_eq!(one(same), 1);
    }

    #[test]
    fn bounds_are_those_of_their_bins_and_stay_above_the_least_value() {
        let intervals = Intervals::new([rows(2_003), rows(99)].into_iter(), 0.9).unwrap();
        let predictions = Tensor::new(&[[10.0, 10.0], [1_990.0, f64::NAN]], &Device::Cpu).unwrap();
        let [low, high] = intervals.half_widths(0);
        assert!(high > 8.0 * low, "{low} {high}");
        let [lower, upper] = intervals.bounds(&predictions).unwrap().map(|t| t.to_vec2::<f64>().unwrap());
        assert!((upper[0][0] - 10.0 - low).abs() < 1e-9 && (1_990.0 - lower[1][0] - high).abs() < 1e-9);
        assert!(lower[0][0] < 0.0 && upper[1][1].is_nan() && lower[1][1].is_nan());
        let [lower, upper] = intervals.not_below(Some(0.0)).bounds(&predictions).unwrap();
        assert_eq!(lower.to_vec2::<f64>().unwrap()[0][0].to_bits(), 0f64.to_bits());
        assert!(upper.to_vec2::<f64>().unwrap()[0][0] > 10.0);
    }
}
