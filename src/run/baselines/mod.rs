//! Baselines beside a run's results, on the same rows: what needs no network.
//!
//! Of a series the last value, the last season's and the drift; of a table the class prior or the mean, and ridge or
//! logistic regression on the same inputs, as scikit-learn's `RidgeCV(ALPHAS)` and `LogisticRegression()` behind a
//! `StandardScaler` of the numbers, with categories one-hot encoded and not scaled.

mod block;
mod design;
mod linear;
mod logistic;
mod ridge;
mod rows;
mod series;
mod table;
mod verdict;

use crate::config::Config;
use crate::data::Dataset;
use crate::data::preprocess::{PreprocessingSource, TableEncoder};
use crate::data::{Preprocessing, Splits};
use crate::error::Result;
use crate::loss::Losses;

pub(crate) use verdict::Verdict;

/// The rows that baselines are fitted on.
pub(crate) struct BaselineRows<'a> {
    train: &'a Dataset,
    preprocessing: &'a Preprocessing,
    loss: &'a Losses,
    /// Whether its rows are those of a table.
    is_table: bool,
    /// The run's seed.
    seed: u64,
}

impl<'a> BaselineRows<'a> {
    /// The training rows of a run.
    pub(crate) fn of(config: &Config, splits: &'a Splits, loss: &'a Losses) -> Self {
        Self {
            train: &splits.train,
            preprocessing: &splits.preprocessing,
            loss,
            is_table: ["csv", "jsonl", "parquet", "npz"].contains(&config.source.name()),
            seed: config.seed,
        }
    }

    /// The baselines on these rows; `results` are the network's metrics on them, without the prefix of a split.
    pub(crate) fn numbers(&self, data: &Dataset, results: &[(String, f64)]) -> Result<Vec<(String, f64)>> {
        if data.series_baselines().is_some() {
            return Ok(of_series(data, results));
        }
        if self.is_table {
            return table::numbers(self.train, data, self.loss.task(), self.encoder(), self.seed);
        }
        Ok(Vec::new())
    }

    /// The encoder of a table, whose last features may be the numbers of names.
    fn encoder(&self) -> Option<&TableEncoder> {
        match &self.preprocessing.source {
            PreprocessingSource::Table { encoder, .. } => Some(encoder),
            _ => None,
        }
    }
}

/// The baselines of the windows of a series; empty of other rows.
pub(crate) fn of_series(data: &Dataset, results: &[(String, f64)]) -> Vec<(String, f64)> {
    data.series_baselines()
        .map(|errors| series::numbers(errors, data.target_info(), results))
        .unwrap_or_default()
}

/// Whether this number of a run's final line is of a baseline, or compares the network with one.
pub(crate) fn is_baseline(name: &str) -> bool {
    let of_series = ["naive", "seasonal_naive", "drift", "skill", "season_length"];
    let is_of =
        |own: &str| name.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    name.starts_with("baseline_") || of_series.into_iter().any(is_of)
}

/// The metrics of a split without its prefix, of all metrics of a run.
pub(crate) fn of_split(metrics: &[(String, f64)], prefix: &str) -> Vec<(String, f64)> {
    let own = |(name, value): &(String, f64)| {
        Some((name.strip_prefix(prefix)?.strip_prefix('_')?.to_owned(), *value))
    };
    metrics.iter().filter_map(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_baselines_are_told_by_their_names() {
        for name in ["naive", "naive_wave", "skill", "season_length", "baseline_ridge_rmse", "drift_x"] {
            assert!(is_baseline(name), "{name}");
        }
        for name in ["test_loss", "val_mae", "naivety", "step", "skills"] {
            assert!(!is_baseline(name), "{name}");
        }
    }
}
