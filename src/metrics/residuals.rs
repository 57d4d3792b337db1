//! Metrics of values: each column's, averaged over the columns.

use candle_core::Tensor;

use super::{Metric, rows};
use crate::error::Result;

pub(super) const NAMES: &[&str] = &["rmse", "mse", "mae", "mape", "r2"];

/// Sums over values and their errors, a column each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Residuals {
    columns: Vec<Column>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Column {
    count: f64,
    squared: f64,
    absolute: f64,
    /// Σ |x - y| / |y|
    relative: f64,
    mean: f64,
    /// Σ (y - mean)², kept up to date as values come (Welford 1962).
    spread: f64,
}

impl Column {
    fn add(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        self.squared += (x - y) * (x - y);
        self.absolute += (x - y).abs();
        self.relative += (x - y).abs() / y.abs().max(f64::EPSILON);
        let from_mean = y - self.mean;
        self.mean += from_mean / self.count;
        self.spread += from_mean * (y - self.mean);
    }

    /// 1 less the squared error's share of the spread; where there is no spread 1 or 0, as in scikit-learn.
    fn r2(&self) -> f64 {
        match (self.count < 2.0, self.spread == 0.0, self.squared == 0.0) {
            (true, ..) => f64::NAN,
            (_, true, true) => 1.0,
            (_, true, false) => 0.0,
            _ => 1.0 - self.squared / self.spread,
        }
    }
}

impl Residuals {
    pub(super) fn add(&mut self, predictions: &Tensor, ys: &Tensor) -> Result<()> {
        self.columns.resize(predictions.dims()[1], Column::default());
        for (xs, ys) in rows(predictions)?.into_iter().zip(rows(ys)?) {
            for ((column, x), y) in self.columns.iter_mut().zip(xs).zip(ys) {
                column.add(x, y);
            }
        }
        Ok(())
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        #[allow(clippy::cast_precision_loss, reason = "a count of columns")]
        let mean =
            |of: fn(&Column) -> f64| self.columns.iter().map(of).sum::<f64>() / self.columns.len() as f64;
        vec![
            ("rmse", mean(|c| (c.squared / c.count).sqrt())),
            ("mse", mean(|c| c.squared / c.count)),
            ("mae", mean(|c| c.absolute / c.count)),
            ("mape", mean(|c| c.relative / c.count)),
            ("r2", mean(Column::r2)),
        ]
    }
}
