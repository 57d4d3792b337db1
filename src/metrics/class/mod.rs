//! Metrics of classes. Two classes have the same metrics whether the network gives two values (`cross_entropy`) or
//! one (`bce_with_logits`).

mod accuracy;
mod average_precision;
mod balanced_accuracy;
mod calibration_error;
mod collection;
mod counts;
mod f1;
mod log_loss;
mod mcc;
mod metric;
mod precision;
mod recall;
mod roc_auc;
pub(super) mod rows;
mod top5_accuracy;

pub(super) use collection::ClassMetrics;
pub use counts::{ClassCounts, ClassScore};
pub(super) use metric::Running;
pub use metric::{ClassMetric, ClassRange, Entry};
pub use rows::{ClassRow, ClassRows};

/// Every metric of classes, in the order of the logs.
pub const METRICS: &[Entry] = &[
    Entry::of::<accuracy::Accuracy>(),
    Entry::of::<top5_accuracy::Top5Accuracy>(),
    Entry::of::<precision::BinaryPrecision>(),
    Entry::of::<recall::Recall>(),
    Entry::of::<f1::F1>(),
    Entry::of::<precision::PrecisionMacro>(),
    Entry::of::<recall::RecallMacro>(),
    Entry::of::<f1::F1Macro>(),
    Entry::of::<roc_auc::RocAuc>(),
    Entry::of::<average_precision::AveragePrecision>(),
    Entry::of::<log_loss::LogLoss>(),
    Entry::of::<calibration_error::CalibrationError>(),
    Entry::of::<balanced_accuracy::BalancedAccuracy>(),
    Entry::of::<mcc::Mcc>(),
];
