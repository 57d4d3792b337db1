//! How good predictions are, summed up batch by batch.

use candle_core::{D, DType, Tensor};

use crate::data::Want;
use crate::error::Result;

/// A metric's name and value.
pub type Metric = (&'static str, f64);

/// Running sums over predictions and targets.
#[derive(Debug, Clone, PartialEq)]
pub enum Tally {
    /// Of classes.
    Classes {
        /// Rows with this target do not count.
        ignored: i64,
        /// Rows whose largest number is that of their class.
        correct: u64,
        /// Rows.
        rows: u64,
    },
    /// Of values.
    Values(Residuals),
}

/// Sums over values and their errors.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Residuals {
    count: f64,
    squared: f64,
    absolute: f64,
    mean: f64,
    /// Σ (y - mean)², kept up to date as values come (Welford 1962).
    spread: f64,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new(want: Want) -> Self {
        match want {
            Want::Classes { ignored } => Self::Classes { ignored, correct: 0, rows: 0 },
            Want::Values => Self::Values(Residuals::default()),
        }
    }

    /// The names of the metrics of this kind of targets.
    pub fn names(want: Want) -> Vec<&'static str> {
        Self::new(want).metrics().into_iter().map(|(name, _)| name).collect()
    }

    /// Counts predictions (N, K) against their targets.
    pub fn add(&mut self, predictions: &Tensor, ys: &Tensor) -> Result<()> {
        match self {
            Self::Classes { ignored, correct, rows } => {
                let best = predictions.argmax(D::Minus1)?.to_vec1::<u32>()?;
                let ys = ys.to_vec1::<i64>()?;
                for (best, y) in best.into_iter().zip(ys).filter(|(_, y)| y != ignored) {
                    *correct += u64::from(i64::from(best) == y);
                    *rows += 1;
                }
            }
            Self::Values(sums) => {
                let flat = |t: &Tensor| t.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
                for (x, y) in flat(predictions)?.into_iter().zip(flat(ys)?) {
                    sums.add(x, y);
                }
            }
        }
        Ok(())
    }

    /// The metrics of all that was counted.
    #[allow(clippy::cast_precision_loss, reason = "counts of rows")]
    pub fn metrics(&self) -> Vec<Metric> {
        match self {
            Self::Classes { correct, rows, .. } => vec![("accuracy", *correct as f64 / *rows as f64)],
            Self::Values(sums) => sums.metrics(),
        }
    }
}

impl Residuals {
    fn add(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        self.squared += (x - y) * (x - y);
        self.absolute += (x - y).abs();
        let from_mean = y - self.mean;
        self.mean += from_mean / self.count;
        self.spread += from_mean * (y - self.mean);
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![
            ("rmse", (self.squared / self.count).sqrt()),
            ("mae", self.absolute / self.count),
            ("r2", 1.0 - self.squared / self.spread),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn accuracy_counts_the_rows_that_are_not_ignored() {
        let mut tally = Tally::new(Want::Classes { ignored: -100 });
        let logits = Tensor::new(&[[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], &Device::Cpu).unwrap();
        tally.add(&logits, &Tensor::new(&[1i64, 1, -100], &Device::Cpu).unwrap()).unwrap();
        assert_eq!(tally.metrics(), [("accuracy", 0.5)]);
    }

    #[test]
    fn the_errors_of_values_are_scikit_learns() {
        // sklearn.metrics: root_mean_squared_error, mean_absolute_error, r2_score of its own documentation's example,
        // y_true = [3, -0.5, 2, 7], y_pred = [2.5, 0.0, 2, 8]: MSE 0.375, MAE 0.5, R2 0.9486081370449679.
        let mut tally = Tally::new(Want::Values);
        let add = |tally: &mut Tally, x: &[f64], y: &[f64]| {
            let column = |v: &[f64]| Tensor::from_slice(v, (v.len(), 1), &Device::Cpu).unwrap();
            tally.add(&column(x), &column(y)).unwrap();
        };
        add(&mut tally, &[2.5], &[3.0]);
        add(&mut tally, &[0.0, 2.0, 8.0], &[-0.5, 2.0, 7.0]);
        for ((name, value), expected) in
            tally.metrics().into_iter().zip([0.375f64.sqrt(), 0.5, 0.948_608_137_044_967_9])
        {
            assert!((value - expected).abs() < 1e-12, "{name}: {value}");
        }
    }
}
