//! Statistics of a run's weights, and of their gradients over some rows.

use candle_core::{DType, Tensor};

use crate::data::Dataset;
use crate::error::Result;
use crate::report::{Gradient, HistogramBin, TensorStats};
use crate::run::tensorboard::Histogram;
use crate::trainer::Trainer;

/// The rows that gradients are taken of.
const ROWS: usize = 256;

/// All trained tensors, with the gradients of the first training rows.
pub(super) fn of(trainer: &mut Trainer, train: &Dataset) -> Result<Vec<TensorStats>> {
    let rows = train.chunks_of(ROWS).next().unwrap_or_default();
    // Rows that do not count have none.
    let gradients = trainer.gradients(train, &rows, 1).unwrap_or_default();
    let params = trainer.network().params().trainable();
    params
        .iter()
        .map(|param| {
            let own = gradients.iter().find(|(name, _)| name == param.name());
            let gradient = own.map(|(_, gradient)| numbers(gradient)).transpose()?;
            let stats = stats(param.name(), param.value().dims(), &numbers(param.value())?);
            Ok(TensorStats { gradient: gradient.map(|numbers| of_gradient(&numbers)), ..stats })
        })
        .collect()
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts"
)]
fn stats(name: &str, shape: &[usize], numbers: &[f64]) -> TensorStats {
    let histogram = Histogram::of(numbers);
    let (mean, std) = spread(numbers);
    let lefts = std::iter::once(histogram.min).chain(histogram.limits.iter().copied());
    let bins = lefts.zip(&histogram.limits).zip(&histogram.counts);
    TensorStats {
        name: name.to_owned(),
        shape: shape.to_vec(),
        mean,
        std,
        min: histogram.min,
        max: histogram.max,
        zeros: numbers.iter().filter(|x| **x == 0.0).count() as f64 / numbers.len().max(1) as f64,
        histogram: bins
            .map(|((left, right), count)| HistogramBin { left, right: *right, count: *count as u64 })
            .collect(),
        gradient: None,
    }
}

fn of_gradient(numbers: &[f64]) -> Gradient {
    let (mean, std) = spread(numbers);
    Gradient {
        norm: numbers.iter().map(|x| x * x).sum::<f64>().sqrt(),
        mean,
        std,
        max: numbers.iter().fold(0.0, |max, x| x.abs().max(max)),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a count")]
fn spread(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / count).sqrt())
}
