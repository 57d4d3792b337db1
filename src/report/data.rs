//! The data of a report. Nothing here is escaped: names and cells are escaped when the page is written.

use super::series::SeriesReport;
use crate::run::history::Axis;

/// All of a page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// The heading.
    pub(crate) title: String,
    /// The runs, in the order of their colours.
    pub(crate) runs: Vec<RunData>,
    /// The keys whose values differ between the runs' configs, each with a value a run.
    pub(crate) differences: Vec<(String, Vec<String>)>,
}

/// One run.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunData {
    /// Its name in tables and charts.
    pub(crate) name: String,
    /// Its epochs, oldest first.
    pub(crate) points: Vec<Point>,
    /// The results on the test split, by the metric's name.
    pub(crate) tests: Vec<(String, f64)>,
    /// The whole config as TOML.
    pub(crate) config: String,
    /// Further facts, such as parameters and rows, ready to read.
    pub(crate) facts: Vec<(String, String)>,
    /// Its results on rows that it was not trained on.
    pub(crate) evaluation: Option<SplitReport>,
    /// The importance of its columns, the largest first.
    pub(crate) importance: Vec<ColumnImportance>,
    /// Its weights, in the order of the model.
    pub(crate) tensors: Vec<TensorStats>,
}

/// The importance of a column: the increase of the loss when its values are dealt to other rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnImportance {
    /// Its name.
    pub(crate) name: String,
    /// The increase, in the mean of several deals.
    pub(crate) mean: f64,
    /// Its standard deviation.
    pub(crate) std: f64,
}

/// The end of an epoch. The four places count from the start of the run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Point {
    /// Epochs done.
    pub(crate) epoch: f64,
    /// Updates done.
    pub(crate) updates: f64,
    /// Samples seen.
    pub(crate) samples: f64,
    /// Seconds trained.
    pub(crate) seconds: f64,
    /// `train_loss`, `val_loss`, `lr` …; what is NaN, infinite or left out leaves a gap.
    pub(crate) values: Vec<(String, f64)>,
}

impl Point {
    /// Its place on an axis.
    pub(crate) fn at(&self, axis: Axis) -> f64 {
        match axis {
            Axis::Epochs => self.epoch,
            Axis::Updates => self.updates,
            Axis::Samples => self.samples,
            Axis::Seconds => self.seconds,
        }
    }

    /// A value by its name; NaN where it has none.
    pub(crate) fn value(&self, name: &str) -> f64 {
        self.values.iter().find(|(own, _)| own == name).map_or(f64::NAN, |(_, value)| *value)
    }
}

/// The results of a run on a split.
#[derive(Debug, Clone, Default)]
pub(crate) struct SplitReport {
    /// `test` or `val`.
    pub(crate) split: String,
    /// For a model that predicts classes.
    pub(crate) classes: Option<ClassReport>,
    /// For a model that predicts numbers.
    pub(crate) values: Option<ValueReport>,
    /// For one that forecasts a series.
    pub(crate) series: Option<SeriesReport>,
}

/// Classes and how they were confused.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClassReport {
    /// The classes; one without a name is written as its number.
    pub(crate) names: Vec<String>,
    /// Counts of rows, as often as their weights say: `confusion[is][predicted]`.
    pub(crate) confusion: Vec<Vec<f64>>,
    /// The scores of each class.
    pub(crate) per_class: Vec<ClassSummary>,
    /// The bins of a reliability diagram.
    pub(crate) calibration: Vec<Calibrated>,
    /// The classes told from all others at every threshold.
    pub(crate) ranked: Vec<RankingCurves>,
    /// The misclassified rows with the highest confidence, worst first.
    pub(crate) worst: Vec<Mistake>,
}

/// One class told from all others at every threshold of its probability.
#[derive(Debug, Clone, Default)]
pub(crate) struct RankingCurves {
    /// The class's name.
    pub(crate) class: usize,
    /// The ROC curve: `(false positive rate, true positive rate)` from (0, 0) to (1, 1).
    pub(crate) roc: Vec<(f64, f64)>,
    /// The precision-recall curve: `(recall, precision)`, by falling threshold.
    pub(crate) precision_recall: Vec<(f64, f64)>,
    /// The area under the ROC curve.
    pub(crate) area: f64,
    /// The average precision.
    pub(crate) average_precision: f64,
    /// The fraction of the rows that is of this class: the precision of guessing.
    pub(crate) share: f64,
}

/// The scores of one class; fractions from 0 to 1.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ClassSummary {
    /// Of the rows predicted as this class, the fraction that are.
    pub(crate) precision: f64,
    /// Of the rows of this class, the fraction predicted as it.
    pub(crate) recall: f64,
    /// The harmonic mean of both.
    pub(crate) f1: f64,
    /// The rows of this class.
    pub(crate) support: f64,
}

/// The rows whose highest probability falls in one bin.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Calibrated {
    /// The mean of that probability.
    pub(crate) confidence: f64,
    /// The fraction of the rows that is correct.
    pub(crate) accuracy: f64,
    /// The rows.
    pub(crate) count: f64,
}

/// A misclassified row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mistake {
    /// Its number in the split, from 0.
    pub(crate) row: usize,
    /// The class it is.
    pub(crate) is: usize,
    /// The class that was predicted.
    pub(crate) predicted: usize,
    /// The probability given to the predicted class.
    pub(crate) probability: f64,
    /// Its origin: `line 12` of its file, or `row 5` of the split.
    pub(crate) place: String,
    /// The picture, for images.
    pub(crate) picture: Option<Picture>,
    /// Its columns and their values, for tables.
    pub(crate) cells: Vec<(String, String)>,
}

/// A small picture, row by row from the top, `(height, width, channels)`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Picture {
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// 1 for grey, 3 for red, green, blue.
    pub(crate) channels: usize,
    /// One byte a channel.
    pub(crate) bytes: Vec<u8>,
}

/// Predicted numbers beside the actual ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct ValueReport {
    /// The targets; one without a name is written as its number.
    pub(crate) names: Vec<String>,
    /// The network's outputs, where each target has several: one a step.
    pub(crate) outputs: Vec<String>,
    /// The pairs `(actual, predicted)` of each target, for as many rows as the caller wants to show.
    pub(crate) scatter: Vec<Vec<(f64, f64)>>,
    /// The rows with the largest errors, worst first.
    pub(crate) worst: Vec<ValueMistake>,
}

/// A row with a large error.
#[derive(Debug, Clone, Default)]
pub(crate) struct ValueMistake {
    /// Its number in the split, from 0.
    pub(crate) row: usize,
    /// The number of the output.
    pub(crate) target: usize,
    /// Its origin: `line 12` of its file, or `row 5` of the split.
    pub(crate) place: String,
    /// The row's columns in short; may be empty.
    pub(crate) text: String,
    /// The number it is.
    pub(crate) actual: f64,
    /// The same as the file writes it; empty where that is not known.
    pub(crate) written: String,
    /// The number that was predicted.
    pub(crate) predicted: f64,
}

/// Statistics of a tensor's elements.
#[derive(Debug, Clone, Default)]
pub(crate) struct TensorStats {
    /// Its name in the model.
    pub(crate) name: String,
    /// Its shape; empty for a scalar.
    pub(crate) shape: Vec<usize>,
    /// The mean of its elements.
    pub(crate) mean: f64,
    /// Their standard deviation.
    pub(crate) std: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
    /// The share of elements that are 0.
    pub(crate) zeros: f64,
    /// The distribution of the elements.
    pub(crate) histogram: Vec<HistogramBin>,
    /// Its gradient, where one was taken.
    pub(crate) gradient: Option<Gradient>,
}

/// A bar of a histogram: the number of elements in `left .. right`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HistogramBin {
    /// Its lower end.
    pub(crate) left: f64,
    /// Its upper end.
    pub(crate) right: f64,
    /// The number of elements in it.
    pub(crate) count: u64,
}

/// Statistics of a gradient.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gradient {
    /// Its Euclidean norm.
    pub(crate) norm: f64,
    /// The mean of its elements.
    pub(crate) mean: f64,
    /// Their standard deviation.
    pub(crate) std: f64,
    /// The largest absolute value.
    pub(crate) max: f64,
}
