//! Data sets with further properties, and the units of their targets.

use std::sync::Arc;

use candle_core::Tensor;

use super::subtracted::Subtracted;
use super::{Dataset, Store};
use crate::data::subtract_last::SubtractLast;
use crate::data::{SeriesBaselines, TargetInfo, Units};
use crate::error::Result;

impl Dataset {
    /// The rows that start at these of the stored rows, in this order; targets are found there too.
    pub(in crate::data) fn with_starts(self, starts: Option<Vec<u32>>) -> Self {
        Self { starts: starts.map(Arc::new), ..self }
    }

    /// The same windows of a series without their last values, and their targets as the changes since, (N, K).
    pub(in crate::data) fn with_last(
        self,
        subtract: Option<SubtractLast>,
        last: Option<Tensor>,
    ) -> Result<Self> {
        let (Some(subtract), Some(last)) = (subtract, last) else { return Ok(self) };
        Ok(Self { subtracted: Some(Arc::new(Subtracted::new(subtract, &last)?)), ..self })
    }

    /// The same rows, for which simple forecasts have these errors.
    pub(in crate::data) fn with_baselines(self, baselines: Option<SeriesBaselines>) -> Self {
        Self { baselines: baselines.map(Arc::new), ..self }
    }

    /// The same rows, each of which counts so much.
    pub fn with_weights(self, weights: Option<Vec<f64>>) -> Self {
        Self { weights: weights.map(Arc::new), ..self }
    }

    /// The same rows with another row shape, `[F]` or `[T, F]`. Rows may overlap, as the windows of a series do.
    pub fn with_row_shape(self, row: &[usize]) -> Self {
        Self { row: row.to_vec(), ..self }
    }

    /// The same rows, whose targets are standardised with these means and deviations.
    pub fn with_units(mut self, units: Option<Units>) -> Result<Self> {
        let starts = self.starts.as_deref().map(Vec::as_slice);
        if let (Some(units), Store::Memory { ys, exact: Some(exact), .. }) = (&units, &mut self.store) {
            let shifted = match &self.subtracted {
                Some(subtracted) => subtracted.changes(exact, starts)?,
                None => exact.clone(),
            };
            *ys = units.standardize(&shifted, self.dtype)?.to_device(ys.device())?;
        }
        self.units = units;
        Ok(self)
    }

    /// The same rows, whose classes and targets have names.
    pub fn with_target_info(self, info: Arc<TargetInfo>) -> Self {
        Self { info, ..self }
    }

    /// The transformation of the predictions for these rows to the targets' own units, if there is one.
    pub fn units_of(&self, rows: &[u32]) -> Result<Option<Units>> {
        match (&self.units, &self.subtracted) {
            (Some(units), Some(subtracted)) => {
                Ok(Some(units.of_changes_from(subtracted.last_of(rows, units)?)))
            }
            (units, _) => Ok(units.clone()),
        }
    }
}
