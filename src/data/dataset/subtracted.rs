//! The last targets of the windows of a series, and their targets as changes since.

use candle_core::{DType, Device, Tensor};

use crate::data::Units;
use crate::data::subtract_last::{SubtractLast, for_each_step};
use crate::error::Result;

/// The values subtracted from windows, and the targets at the last row of each.
#[derive(Debug)]
pub(super) struct Subtracted {
    how: SubtractLast,
    /// (windows, K), row by row.
    last: Vec<f64>,
    targets: usize,
}

impl Subtracted {
    /// Of windows whose last targets are these, (N, K).
    pub(super) fn new(how: SubtractLast, last: &Tensor) -> Result<Self> {
        Ok(Self { how, targets: last.dims()[1], last: last.flatten_all()?.to_vec1()? })
    }

    /// The values that are subtracted.
    pub(super) fn how(&self) -> &SubtractLast {
        &self.how
    }

    /// Targets (N, S K), at the places where windows start, as their changes from the last ones.
    pub(super) fn changes(&self, exact: &Tensor, starts: Option<&[u32]>) -> Result<Tensor> {
        let (count, outputs) = exact.dims2()?;
        let mut shifts = vec![0.0; count * self.targets];
        for (window, last) in self.last.chunks_exact(self.targets).enumerate() {
            let place = starts.and_then(|starts| starts.get(window)).map_or(window, |start| *start as usize);
            shifts[place * self.targets..(place + 1) * self.targets].copy_from_slice(last);
        }
        let shifts = Tensor::from_vec(shifts, (count, self.targets), &Device::Cpu)?;
        Ok((exact - for_each_step(&shifts, outputs / self.targets)?)?)
    }

    /// The targets of these windows, (n, S K), as their changes from the last ones.
    pub(super) fn changes_of(&self, exact: &Tensor, rows: &[u32]) -> Result<Tensor> {
        Ok((exact - self.last_for(rows, exact.dims()[1])?)?)
    }

    /// The targets that the predictions for these windows are changes from, (n, S K).
    pub(super) fn last_of(&self, rows: &[u32], units: &Units) -> Result<Tensor> {
        self.last_for(rows, units.outputs())
    }

    /// The last targets of these windows for each step, as so many outputs.
    fn last_for(&self, rows: &[u32], outputs: usize) -> Result<Tensor> {
        let of = |row: &u32| self.last[*row as usize * self.targets..][..self.targets].to_vec();
        let last: Vec<f64> = rows.iter().flat_map(of).collect();
        let last = Tensor::from_vec(last, (rows.len(), self.targets), &Device::Cpu)?.to_dtype(DType::F64)?;
        for_each_step(&last, outputs / self.targets)
    }
}
