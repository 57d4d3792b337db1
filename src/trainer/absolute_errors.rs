//! The absolute errors of predicted values, row by row.

use candle_core::DType;

use super::evaluation::{HeldOut, predict};
use crate::error::Result;

/// The absolute errors of predictions of some rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AbsoluteErrors {
    /// Of each target those of all rows, in its own units.
    pub(crate) targets: Vec<Vec<f64>>,
    /// The weight of each row; empty where all count alike.
    pub(crate) weights: Vec<f64>,
}

/// The errors of networks on the rows that each was not trained on.
pub(crate) fn absolute_errors(all: &[HeldOut<'_>]) -> Result<AbsoluteErrors> {
    let mut errors = AbsoluteErrors::default();
    for HeldOut { network, loss, data } in all {
        for rows in data.chunks() {
            let units = data.units_of(&rows)?;
            let predictions = predict(network, loss, &data.inputs(&rows)?, units.as_ref())?;
            let targets = data.exact_targets(&rows)?.to_dtype(DType::F64)?;
            let targets = targets.reshape(predictions.shape())?;
            let off = (predictions.to_dtype(DType::F64)? - targets)?.abs()?.to_vec2::<f64>()?;
            for row in off {
                errors.targets.resize_with(row.len(), Vec::new);
                for (own, error) in errors.targets.iter_mut().zip(row) {
                    own.push(error);
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
