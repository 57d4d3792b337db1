//! How good predictions are, summed up batch by batch; each metric equals scikit-learn's of that name.
//! <https://scikit-learn.org/stable/api/sklearn.metrics.html>

mod calibration;
mod classes;
mod labels;
mod ranking;
mod residuals;

use candle_core::{DType, Tensor};

use crate::data::Task;
use crate::error::Result;

pub use classes::{ClassScore, Classes};
pub use labels::Labels;
pub use residuals::Residuals;

/// A metric's name and value.
pub type Metric = (&'static str, f64);

/// Running sums over predictions and targets.
#[derive(Debug, Clone, PartialEq)]
pub enum Tally {
    /// Of classes.
    Classes(Classes),
    /// Of answers of yes or no.
    Labels(Labels),
    /// Of values.
    Values(Residuals),
}

impl Tally {
    /// Nothing counted yet.
    pub fn new(want: Task) -> Self {
        match want {
            Task::Classes { ignored, .. } => Self::Classes(Classes::new(ignored)),
            Task::Labels => Self::Labels(Labels::default()),
            Task::Values => Self::Values(Residuals::default()),
        }
    }

    /// The names of the metrics of this kind of targets.
    pub fn names(want: Task) -> &'static [&'static str] {
        match want {
            Task::Classes { .. } => classes::NAMES,
            Task::Labels => labels::NAMES,
            Task::Values => residuals::NAMES,
        }
    }

    /// Whether a smaller value of this metric is the better one.
    pub fn smaller_is_better(name: &str) -> bool {
        ["loss", "mse", "mae", "mape", "error"].iter().any(|ending| name.ends_with(ending))
    }

    /// Counts predictions (N, K), probabilities or values, against their targets.
    pub fn add(&mut self, predictions: &Tensor, ys: &Tensor) -> Result<()> {
        match self {
            Self::Classes(classes) => classes.add(predictions, ys),
            Self::Labels(labels) => labels.add(predictions, ys),
            Self::Values(residuals) => residuals.add(predictions, ys),
        }
    }

    /// The metrics of all that was counted; those that are not defined for it are left out.
    pub fn metrics(&self) -> Vec<Metric> {
        let mut metrics = match self {
            Self::Classes(classes) => classes.metrics(),
            Self::Labels(labels) => labels.metrics(),
            Self::Values(residuals) => residuals.metrics(),
        };
        metrics.retain(|(_, value)| value.is_finite());
        metrics
    }
}

/// The rows of a tensor (N, K) or (N) as numbers.
fn rows(tensor: &Tensor) -> Result<Vec<Vec<f64>>> {
    let count = tensor.dims()[0];
    Ok(tensor.to_dtype(DType::F64)?.reshape((count, ()))?.to_vec2()?)
}

#[allow(clippy::cast_precision_loss, reason = "counts of rows")]
fn ratio(part: u64, of: u64) -> f64 {
    part as f64 / of as f64
}

/// The smallest probability that a logarithm is taken of: the type's precision, as in scikit-learn.
fn smallest(dtype: DType) -> f64 {
    if dtype == DType::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) }
}

/// Precision, recall and F1 from counts of true positives, predicted and actual ones; 0 where nothing is divided.
fn precision_recall_f1(hits: u64, predicted: u64, actual: u64) -> [f64; 3] {
    let share = |part: u64, of: u64| if of == 0 { 0.0 } else { ratio(part, of) };
    [share(hits, predicted), share(hits, actual), share(2 * hits, predicted + actual)]
}

/// The mean of each of the three over several classes.
fn macro_average(scores: &[[f64; 3]]) -> [f64; 3] {
    #[allow(clippy::cast_precision_loss, reason = "a count of classes")]
    let count = scores.len() as f64;
    [0, 1, 2].map(|which| scores.iter().map(|score| score[which]).sum::<f64>() / count)
}
