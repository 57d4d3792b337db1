//! Predictions in memory.

use candle_core::{DType, Tensor};

use super::columns::{Cell, Columns};
use crate::error::Result;

/// The predictions for some rows, in their order.
#[derive(Debug, Clone)]
pub struct Predictions {
    columns: Columns,
    scores: Vec<Option<Vec<f64>>>,
}

impl Predictions {
    pub(super) fn new(columns: Columns) -> Self {
        Self { columns, scores: Vec::new() }
    }

    /// Adds the rows of these scores, (N, K).
    pub(super) fn add(&mut self, scores: &Tensor) -> Result<()> {
        let rows = scores.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        self.scores.extend(rows.into_iter().map(Some));
        Ok(())
    }

    /// Adds rows that cannot be predicted.
    pub(super) fn add_empty(&mut self, rows: usize) {
        self.scores.resize(self.scores.len() + rows, None);
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// The names of the columns: `prediction` first, then for classes `probability_<class>` each.
    pub fn columns(&self) -> Vec<String> {
        self.columns.names()
    }

    /// The cells of a row, one per column.
    pub fn cells(&self, row: usize) -> Vec<Cell<'_>> {
        let mut cells = Vec::new();
        match self.scores(row) {
            Some(scores) => self.columns.cells(scores, &mut cells),
            None => cells.resize(self.columns.names().len(), Cell::Missing),
        }
        cells
    }

    /// The first cell of a row: the predicted class by its name, or the predicted value.
    pub fn prediction(&self, row: usize) -> Cell<'_> {
        self.cells(row).first().copied().unwrap_or(Cell::Missing)
    }

    /// The probability of each class, (C), or the predicted values, (K), in their own units; with `gaussian_nll` their
    /// standard deviations behind them, (2 K). `None` for a row of a series
    /// that ends no whole window.
    pub fn scores(&self, row: usize) -> Option<&[f64]> {
        self.scores.get(row)?.as_deref()
    }
}
