//! The rows of an update, found where the data is.

use std::ops::Range;

use candle_core::{DType, Tensor, TensorId};

use super::{Batch, Dataset, Store};
use crate::data::selection::{RowNumbers, Selection};
use crate::error::Result;
use crate::kernels::gather::{self, Affine};

impl Dataset {
    /// Finds these rows where the data is, for [`Self::part`].
    pub fn select<'a>(&self, rows: &'a [u32]) -> Result<Selection<'a>> {
        let weights = self.row_weights(rows)?;
        match &self.store {
            Store::Memory { xs, .. } if gather::cuda_takes(xs, self.dtype) => {
                let numbers = gather::there(xs, &self.places(rows), &self.row)?;
                Ok(Selection::new(RowNumbers::Device(numbers), self.targets_to_count(rows)?)
                    .with_weights(weights))
            }
            _ => Ok(Selection::new(RowNumbers::Host(rows), self.targets(rows)?).with_weights(weights)),
        }
    }

    /// The inputs, if a device gathers rows of them.
    pub fn on_device(&self) -> Option<TensorId> {
        match &self.store {
            Store::Memory { xs, .. } if gather::cuda_takes(xs, self.dtype) => Some(xs.id()),
            _ => None,
        }
    }

    /// The part of a selection at these places. `again` may be the inputs of another part that are no longer needed.
    pub fn part(&self, of: &Selection<'_>, at: Range<usize>, again: Option<Tensor>) -> Result<Batch> {
        let (start, len) = (at.start, at.len());
        let weights = of.weights().map(|weights| weights.narrow(0, start, len)).transpose()?;
        match (of.numbers(), &self.store) {
            (RowNumbers::Host(rows), _) => {
                let ys = of.targets().narrow(0, start, len)?;
                Ok(Batch { xs: self.inputs_again(&rows[at], again)?, ys, weights })
            }
            (RowNumbers::Device(rows), Store::Memory { xs, ys, .. }) => {
                let rows = rows.narrow(0, start, len)?;
                let xs =
                    self.without_last(&gather::rows_there(xs, &rows, &self.row, self.affine, self.dtype)?)?;
                let ys = if ys.dtype() == DType::I64 {
                    ys.index_select(&rows, 0)?
                } else {
                    gather::rows_there(ys, &rows, &ys.dims()[1..], Affine::IDENTITY, self.dtype)?
                };
                Ok(Batch { xs, ys, weights })
            }
            (RowNumbers::Device(_), Store::File(..)) => {
                Err(candle_core::Error::Msg("rows in a file are not on a GPU".to_owned()).into())
            }
        }
    }

    /// Targets that count as those of these rows do, without a wait for a GPU: their classes on the CPU; of values, whose
    /// number alone counts, any.
    pub fn targets_to_count(&self, rows: &[u32]) -> Result<Tensor> {
        match &self.store {
            Store::Memory { here: Some(here), .. } => Ok(gather::classes(here, &self.places(rows))?),
            Store::Memory { ys, .. } if !ys.device().is_cpu() => Ok(ys.narrow(0, 0, rows.len())?),
            _ => self.targets(rows),
        }
    }
}
