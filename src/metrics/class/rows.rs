//! The rows of a batch as metrics of classes read them.

use candle_core::{DType, Tensor};

use crate::data::{Decision, Task, class_of};
use crate::error::Result;

/// Predicted probabilities (N, C) and the classes of the rows; rows that do not count are left out.
#[derive(Debug, Clone)]
pub struct ClassRows {
    classes: usize,
    probabilities: Vec<f64>,
    /// The row in the batch, its class, and the predicted one.
    rows: Vec<(usize, usize, usize)>,
    /// The weight of each row of the batch; empty where they count alike.
    weights: Vec<f64>,
    smallest: f64,
}

/// A row.
#[derive(Debug, Clone, Copy)]
pub struct ClassRow<'a> {
    /// Its place in the batch.
    pub index: usize,
    /// A probability for each class.
    pub probabilities: &'a [f64],
    /// The class that it is.
    pub target: usize,
    /// The predicted class: the first of those with the highest probability, or the one that a threshold says.
    pub predicted: usize,
    /// Its weight.
    pub weight: f64,
}

impl ClassRows {
    /// The rows of predictions (N, C) with class numbers (N) or probabilities (N, C), or of the probability of the
    /// second of two classes (N, 1) with targets from 0 to 1 (N, 1).
    pub fn new(
        task: Task,
        decision: Option<Decision>,
        predictions: &Tensor,
        targets: &Tensor,
    ) -> Result<Self> {
        let smallest = smallest(predictions.dtype());
        let flat = numbers(predictions)?;
        if task == Task::Labels {
            let pairs = flat.iter().flat_map(|p| [1.0 - p, *p]).collect();
            let classes = numbers(targets)?.into_iter().map(|y| Some(usize::from(y > 0.5)));
            return Ok(Self { smallest, ..Self::of(pairs, 2, decision, classes) });
        }
        let ignored = match task {
            Task::Classes { ignored, .. } => Some(ignored),
            _ => None,
        };
        let counted = |y: i64| usize::try_from(y).ok().filter(|_| Some(y) != ignored);
        let classes = class_of(targets)?.into_iter().map(counted);
        Ok(Self { smallest, ..Self::of(flat, predictions.dims()[1], decision, classes) })
    }

    fn of(
        probabilities: Vec<f64>,
        classes: usize,
        decision: Option<Decision>,
        targets: impl Iterator<Item = Option<usize>>,
    ) -> Self {
        let rows = targets.zip(probabilities.chunks_exact(classes)).enumerate();
        let rows = rows.filter_map(|(index, (target, row))| {
            let target = target.filter(|target| *target < classes)?;
            Some((index, target, Decision::predicted(decision, row)))
        });
        let rows = rows.collect();
        Self { classes, probabilities, rows, weights: Vec::new(), smallest: 0.0 }
    }

    /// The same rows, which count as often as these weights say, (N) of F64.
    pub fn with_weights(self, weights: Option<&Tensor>) -> Result<Self> {
        let weights = weights.map_or(Ok(Vec::new()), Tensor::to_vec1)?;
        Ok(Self { weights, ..self })
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The rows that count.
    pub fn iter(&self) -> impl Iterator<Item = ClassRow<'_>> {
        self.rows.iter().map(|(index, target, predicted)| ClassRow {
            index: *index,
            probabilities: &self.probabilities[index * self.classes..(index + 1) * self.classes],
            target: *target,
            predicted: *predicted,
            weight: self.weights.get(*index).copied().unwrap_or(1.0),
        })
    }

    /// The smallest probability that a logarithm is taken of: the precision of the predictions' type, as in
    /// scikit-learn.
    pub fn smallest(&self) -> f64 {
        self.smallest
    }
}

/// All numbers of a tensor, row by row.
pub(in crate::metrics) fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

fn smallest(dtype: DType) -> f64 {
    if dtype == DType::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) }
}
