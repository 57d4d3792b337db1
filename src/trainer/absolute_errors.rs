//! The absolute errors of predicted values, row by row.

use candle_core::DType;

use super::evaluation::{HeldOut, predict};
use crate::error::Result;

/// The absolute errors of each target in its own units, of networks on the rows that each was not trained on.
pub(crate) fn absolute_errors(all: &[HeldOut<'_>]) -> Result<Vec<Vec<f64>>> {
    let mut errors: Vec<Vec<f64>> = Vec::new();
    for HeldOut { network, loss, data } in all {
        for rows in data.chunks() {
            let units = data.units_of(&rows)?;
            let predictions = predict(network, loss, &data.inputs(&rows)?, units.as_ref())?;
            let targets = data.exact_targets(&rows)?.to_dtype(DType::F64)?;
            let targets = targets.reshape(predictions.shape())?;
            let off = (predictions.to_dtype(DType::F64)? - targets)?.abs()?.to_vec2::<f64>()?;
            for row in off {
                errors.resize_with(row.len(), Vec::new);
                for (own, error) in errors.iter_mut().zip(row) {
                    own.push(error);
                }
            }
        }
    }
    Ok(errors)
}
