//! The predictions of a run, batch by batch.

use candle_core::{DType, Tensor};

use crate::data::Dataset;
use crate::error::Result;
use crate::trainer::{self, Trainer};

const ROWS: usize = 1000;

/// Calls `see` with the first row of each batch, the predictions of its rows, and their targets, both in their own units.
pub(super) fn for_each_batch(
    trainer: &Trainer,
    data: &Dataset,
    mut see: impl FnMut(usize, &Tensor, &Tensor) -> Result<()>,
) -> Result<()> {
    let mut first = 0;
    for rows in data.chunks_of(ROWS) {
        let xs = data.inputs(&rows)?;
        let predictions =
            trainer::predict(trainer.network(), trainer.loss(), &xs, data.units_of(&rows)?.as_ref())?;
        see(first, &predictions.to_dtype(DType::F64)?, &data.exact_targets(&rows)?)?;
        first += rows.len();
    }
    Ok(())
}
