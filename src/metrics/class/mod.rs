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
pub use metric::{ClassEntry, ClassMetric, ClassRange};
pub use rows::{ClassRow, ClassRows};

/// Every metric of classes, in the order of the logs.
pub const METRICS: &[ClassEntry] = &[
    ClassEntry::of::<accuracy::Accuracy>(),
    ClassEntry::of::<top5_accuracy::Top5Accuracy>(),
    ClassEntry::of::<precision::BinaryPrecision>(),
    ClassEntry::of::<recall::Recall>(),
    ClassEntry::of::<f1::F1>(),
    ClassEntry::of::<precision::PrecisionMacro>(),
    ClassEntry::of::<recall::RecallMacro>(),
    ClassEntry::of::<f1::F1Macro>(),
    ClassEntry::of::<roc_auc::RocAuc>(),
    ClassEntry::of::<average_precision::AveragePrecision>(),
    ClassEntry::of::<log_loss::LogLoss>(),
    ClassEntry::of::<calibration_error::CalibrationError>(),
    ClassEntry::of::<balanced_accuracy::BalancedAccuracy>(),
    ClassEntry::of::<mcc::Mcc>(),
];
