//! Metrics of values. Each is computed target by target; of several targets the metric is the mean of theirs, as
//! scikit-learn's `multioutput="uniform_average"`.

mod mae;
mod mape;
mod metric;
mod mse;
mod r2;
mod rmse;

use metric::Mean;
pub(super) use metric::Running;
pub use metric::{ValueEntry, ValueMetric, WeightedPairs};

/// Every metric of values, in the order of the logs.
pub const METRICS: &[ValueEntry] = &[
    ValueEntry::of::<rmse::Rmse>(),
    ValueEntry::of::<mae::Mae>(),
    ValueEntry::of::<r2::R2>(),
    ValueEntry::of::<mse::MeanSquaredError>(),
    ValueEntry::of::<mape::Mape>(),
];
