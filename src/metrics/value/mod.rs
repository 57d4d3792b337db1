//! Metrics of values. Each is computed target by target; of several targets the metric is the mean of theirs, as
//! scikit-learn's `multioutput="uniform_average"`.

mod mae;
mod mape;
mod metric;
mod mse;
mod r2;
mod rmse;

pub(super) use metric::Running;
pub use metric::{Entry, ValueMetric};
use metric::{Mean, real, sum};

/// Every metric of values, in the order of the logs.
pub const METRICS: &[Entry] = &[
    Entry::of::<rmse::Rmse>(),
    Entry::of::<mae::Mae>(),
    Entry::of::<r2::R2>(),
    Entry::of::<mse::MeanSquaredError>(),
    Entry::of::<mape::Mape>(),
];
