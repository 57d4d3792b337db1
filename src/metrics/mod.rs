//! Metrics: how good predictions are, by scikit-learn's names and definitions.
//! <https://scikit-learn.org/stable/api/sklearn.metrics.html>
//!
//! A metric is a type: its name, direction and meaning are constants of [`Metric`]; [`class::ClassMetric`] or
//! [`value::ValueMetric`] says how it is computed. A new metric is one file, its `mod` line and its line in
//! [`class::METRICS`] or [`value::METRICS`]. [`MetricCollection`] updates all metrics of a task batch by batch.

mod calibration;
pub mod class;
mod collection;
mod labels;
mod measured;
mod metric;
mod ranking;
mod threshold;
pub mod value;
mod watched;

pub use calibration::CalibrationBin;
pub use class::{ClassCounts, ClassRow, ClassRows, ClassScore};
pub use collection::MetricCollection;
pub use measured::Measured;
pub use metric::{Direction, Metric, MetricInfo, MetricValue, Undefined};
pub use threshold::BestThreshold;
pub use watched::{direction, is_known, is_of_split, names, range};

use metric::{mean, ratio_or_zero};
