//! The errors of predicted values, row by row.

use candle_core::DType;

use super::evaluation::{HeldOut, predict};
use crate::error::Result;

/// The errors of predictions of some rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct HeldOutErrors {
    /// Of each target those of all rows.
    pub(crate) targets: Vec<Vec<PredictionError>>,
    /// The weight of each row; empty where all count alike.
    pub(crate) weights: Vec<f64>,
}

/// A predicted value, and how far it is off, in the target's own units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PredictionError {
    pub(crate) prediction: f64,
    /// The absolute error.
    pub(crate) error: f64,
}

/// The errors of networks on the rows that each was not trained on: row by row, those of the first network first, in the targets' own
/// units.
pub(crate) fn held_out_errors(all: &[HeldOut<'_>]) -> Result<HeldOutErrors> {
    let mut errors = HeldOutErrors::default();
    for HeldOut { network, loss, data } in all {
        for rows in data.chunks() {
            let units = data.units_of(&rows)?;
            let predictions = predict(network, loss, &data.inputs(&rows)?, units.as_ref())?;
            let targets = data.exact_targets(&rows)?.to_dtype(DType::F64)?;
            let targets = targets.reshape(predictions.shape())?.to_vec2::<f64>()?;
            let predictions = predictions.to_dtype(DType::F64)?.to_vec2::<f64>()?;
            for (predictions, targets) in predictions.into_iter().zip(targets) {
                errors.targets.resize_with(targets.len(), Vec::new);
                let all = predictions.into_iter().zip(targets);
                for (own, (prediction, target)) in errors.targets.iter_mut().zip(all) {
                    own.push(PredictionError { prediction, error: (prediction - target).abs() });
                }
            }
            let weights = data.row_weights(&rows)?;
            errors
                .weights
                .extend(weights.map(|weights| weights.to_vec1::<f64>()).transpose()?.into_iter().flatten());
        }
    }
    Ok(errors)
}
