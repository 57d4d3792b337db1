//! Statistics of each feature. The rows stay in the type in which they were read: numbers of 64 bits are made of some rows
//! at a time.

use candle_core::{D, DType, Tensor};

use super::quantiles::{self, Quantiles};
use crate::data::bytes::Bytes;
use crate::error::Result;
use crate::names::counted;
use crate::stats::quantile;

/// Numbers that are converted at a time.
const CHUNK: usize = 1 << 18;

/// Rows (N, F) or (N, T, F), of which every step is a row of features.
pub(super) struct FeatureRows<'a> {
    /// (rows, F).
    xs: Tensor,
    bytes: Bytes,
    /// The weights of the rows, each with all its steps.
    weights: Option<RowWeights<'a>>,
}

/// The weights of rows.
#[derive(Clone, Copy)]
struct RowWeights<'a> {
    weights: &'a [f64],
    /// The steps of a row.
    steps: usize,
}

/// Two numbers for each feature.
pub(super) struct FeatureStatistics {
    /// Mean, minimum or median.
    pub(super) offset: Vec<f64>,
    /// Standard deviation, range or interquartile range.
    pub(super) spread: Vec<f64>,
}

impl<'a> FeatureRows<'a> {
    /// The rows of inputs with this meaning of their bytes, which count so much.
    pub(super) fn new(xs: &Tensor, bytes: Bytes, weights: Option<&'a [f64]>) -> Result<Self> {
        let (rows, features) = (xs.dim(0)?, xs.dim(D::Minus1)?);
        let xs = xs.reshape(((), features))?;
        let steps = xs.dim(0)? / rows.max(1);
        Ok(Self { xs, bytes, weights: weights.map(|weights| RowWeights { weights, steps }) })
    }

    /// Mean and biased standard deviation of each feature, as scikit-learn's StandardScaler.
    pub(super) fn standard(&self) -> Result<FeatureStatistics> {
        let mean = self.mean(|x, _| x)?;
        let variance = self.mean(|x, feature| {
            let distance = x - mean[feature];
            distance * distance
        })?;
        Ok(FeatureStatistics { spread: variance.into_iter().map(f64::sqrt).collect(), offset: mean })
    }

    /// Minimum and range of each feature.
    pub(super) fn min_max(&self) -> Result<FeatureStatistics> {
        let features = self.features()?;
        let (mut min, mut max) = (vec![f64::INFINITY; features], vec![f64::NEG_INFINITY; features]);
        self.for_each(|row, _| {
            for ((min, max), x) in min.iter_mut().zip(&mut max).zip(row) {
                (*min, *max) = (min.min(*x), max.max(*x));
            }
        })?;
        let spread = max.into_iter().zip(&min).map(|(max, min)| max - min).collect();
        Ok(FeatureStatistics { offset: min, spread })
    }

    /// Median and distance of the quartiles of each feature, as scikit-learn's RobustScaler.
    pub(super) fn robust(&self) -> Result<FeatureStatistics> {
        let (mut offset, mut spread) = (Vec::new(), Vec::new());
        self.for_each_sorted(|column| {
            let [low, median, high] = [0.25, 0.5, 0.75].map(|share| quantile(column, share));
            offset.push(median);
            spread.push(high - low);
        })?;
        Ok(FeatureStatistics { offset, spread })
    }

    /// An error if the quantiles of all features are too many to be kept with a run.
    pub(super) fn require_few(&self) -> Result<(), String> {
        const MOST_QUANTILES: usize = 1 << 20;
        let (rows, features) = self.xs.dims2().unwrap_or_default();
        if features.saturating_mul(rows.min(quantiles::MOST)) <= MOST_QUANTILES {
            return Ok(());
        }
        Err(format!(
            "is \"quantile\", and keeps 1000 numbers of each of {}; take \"robust_smooth\" or \"standard\"",
            counted(features, "feature")
        ))
    }

    /// The quantiles of each feature.
    pub(super) fn quantiles(&self) -> Result<Vec<Quantiles>> {
        let mut all = Vec::new();
        self.for_each_sorted(|column| all.push(Quantiles::fit(column)))?;
        Ok(all)
    }

    /// Calls `see` with the sorted numbers of each feature in order.
    fn for_each_sorted(&self, mut see: impl FnMut(&[f64])) -> Result<()> {
        let (rows, features) = self.xs.dims2()?;
        let together = (CHUNK / rows.max(1)).max(1);
        for first in (0..features).step_by(together) {
            let columns = self.xs.narrow(1, first, together.min(features - first))?.contiguous()?;
            let columns = self.bytes.numbers(&columns)?.to_dtype(DType::F64)?;
            for mut column in columns.t()?.to_vec2::<f64>()? {
                column.sort_unstable_by(f64::total_cmp);
                see(&column);
            }
        }
        Ok(())
    }

    /// The mean of a function of each feature, summed row by row.
    fn mean(&self, of: impl Fn(f64, usize) -> f64) -> Result<Vec<f64>> {
        let mut sums = vec![0.0; self.features()?];
        let mut total = 0.0;
        self.for_each(|row, weight| {
            for (feature, (sum, x)) in sums.iter_mut().zip(row).enumerate() {
                *sum += weight * of(*x, feature);
            }
            total += weight;
        })?;
        let scale = 1.0 / total;
        Ok(sums.into_iter().map(|sum| sum * scale).collect())
    }

    fn features(&self) -> Result<usize> {
        Ok(self.xs.dim(1)?)
    }

    /// Calls `see` with each row that counts, in order, and its weight.
    fn for_each(&self, mut see: impl FnMut(&[f64], f64)) -> Result<()> {
        let (rows, features) = self.xs.dims2()?;
        let together = (CHUNK / features.max(1)).max(1);
        for first in (0..rows).step_by(together) {
            let chunk = self.xs.narrow(0, first, together.min(rows - first))?;
            let chunk = self.bytes.numbers(&chunk)?.to_dtype(DType::F64)?.flatten_all()?;
            for (row, x) in chunk.to_vec1::<f64>()?.chunks_exact(features.max(1)).enumerate() {
                let of = |RowWeights { weights, steps }: RowWeights<'_>| weights[(first + row) / steps];
                let weight = self.weights.map_or(1.0, of);
                if weight > 0.0 {
                    see(x, weight);
                }
            }
        }
        Ok(())
    }
}
