//! Rows on their way to the network, with their keys.

use std::path::Path;

use candle_core::Tensor;

use super::keys::KeyCell;
use crate::data::preprocess::ScaledInputs;
use crate::error::Result;

/// The next rows.
pub(super) struct KeyedRows {
    /// The network's inputs.
    pub(super) inputs: Inputs,
    /// Their keys, one behind the other.
    pub(super) keys: Vec<KeyCell>,
}

/// The network's inputs for some rows.
pub(super) enum Inputs {
    /// (N, …)
    Whole(Tensor),
    /// Rows of arrays and pictures.
    Elements(ScaledInputs),
    /// Windows (N, …), and for each the place of the one of its steps that is for the row.
    Steps { rows: Tensor, steps: Vec<usize> },
    /// Nothing of so many rows of a series that have no whole window.
    TooShort(usize),
}

/// Takes rows as they are read.
pub(super) trait SeeRows {
    /// The names of the columns of the keys, once before the first rows.
    fn keys(&mut self, names: &[String]) -> Result<()>;

    /// The next rows, with the path that messages name.
    fn rows(&mut self, path: &Path, rows: KeyedRows) -> Result<()>;
}

/// A reader's consumer of rows.
pub(super) type See<'a> = dyn SeeRows + 'a;
