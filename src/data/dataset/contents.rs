//! All that a data set keeps, for a checksum.

use candle_core::{DType, Device, Tensor};

use super::{Dataset, Store, chunks, rows_of_chunk};
use crate::data::WindowForm;
use crate::data::stored::Stored;
use crate::error::Result;

/// A tensor, in pieces of some rows.
#[derive(Debug)]
pub(in crate::data) enum Content<'a> {
    /// Its dtype and its shape, before its rows.
    Head(DType, Vec<usize>),
    /// The next rows.
    Rows(&'a Tensor),
}

/// Takes the contents as they come.
type SeeContent<'a> = dyn FnMut(Content<'_>) -> Result<()> + 'a;

impl Dataset {
    /// Calls `see` with all weights, inputs and targets as they are kept, tensor by tensor. Windows are the same whether their
    /// rows are in memory or in a file.
    pub(in crate::data) fn for_each_content(&self, see: &mut SeeContent<'_>) -> Result<()> {
        if let Some(weights) = &self.weights {
            whole(&Tensor::new(weights.as_slice(), &Device::Cpu)?, see)?;
        }
        match &self.store {
            Store::Memory { xs, ys, .. } => {
                whole(xs, see)?;
                whole(ys, see)?;
                self.see_starts(see)
            }
            Store::File(rows, _) => {
                if let Some(windows) = rows.windows() {
                    return self.see_windows(&rows.single_rows(), windows, see);
                }
                for chunk in self.chunks() {
                    whole(&rows.features(&chunk)?, see)?;
                    whole(&self.standardized(&rows.targets(&chunk)?)?, see)?;
                }
                Ok(())
            }
        }
    }

    fn see_starts(&self, see: &mut SeeContent<'_>) -> Result<()> {
        let starts = self.starts.as_ref();
        starts.map_or(Ok(()), |starts| whole(&Tensor::new(starts.as_slice(), &Device::Cpu)?, see))
    }

    /// The rows of windows and their targets, as they would be in memory: each at the first row of its window.
    fn see_windows(&self, rows: &Stored, windows: &WindowForm, see: &mut SeeContent<'_>) -> Result<()> {
        let starts = self.starts.as_deref().map_or(&[][..], Vec::as_slice);
        let behind = windows.targets.last().map_or(0, |last| last + 1).saturating_sub(windows.rows);
        // Windows that start one after the other are kept without a list, and without the rows behind the last of them.
        let is_plain = starts.len() + windows.rows + behind == rows.len() + 1;
        let count = if is_plain { rows.len() - behind } else { rows.len() };
        let step = rows_of_chunk(rows.form().features.max(self.outputs()));
        see(Content::Head(self.dtype, vec![count, rows.form().features]))?;
        for chunk in chunks(0..count, step) {
            see(Content::Rows(&rows.features(&chunk)?.to_dtype(self.dtype)?))?;
        }
        let count = if is_plain { starts.len() } else { rows.len() };
        see(Content::Head(self.dtype, vec![count, self.outputs()]))?;
        for chunk in chunks(0..count, step) {
            see(Content::Rows(&self.targets_at(&chunk, starts)?))?;
        }
        if is_plain { Ok(()) } else { self.see_starts(see) }
    }

    /// The targets of the windows that start with these rows, which follow each other; those of 0 where none does.
    fn targets_at(&self, rows: &[u32], starts: &[u32]) -> Result<Tensor> {
        let of = |row: u32| starts.partition_point(|start| *start < row);
        let (first, last) = (rows.first().copied().unwrap_or(0), rows.last().copied().unwrap_or(0));
        let windows = of(first)..of(last.saturating_add(1));
        let none = Tensor::zeros((1, self.outputs()), DType::F64, &Device::Cpu)?;
        let mut targets = vec![self.standardized(&none)?];
        let numbers: Vec<u32> =
            windows.clone().map(|window| u32::try_from(window).unwrap_or(u32::MAX)).collect();
        if !numbers.is_empty() {
            targets.push(self.targets(&numbers)?.to_device(&Device::Cpu)?);
        }
        let mut places = vec![0u32; rows.len()];
        for (place, window) in (1..).zip(windows) {
            places[(starts[window] - first) as usize] = place;
        }
        Ok(Tensor::cat(&targets, 0)?.index_select(&Tensor::new(places, &Device::Cpu)?, 0)?)
    }
}

/// Gives a whole tensor.
fn whole(tensor: &Tensor, see: &mut SeeContent<'_>) -> Result<()> {
    see(Content::Head(tensor.dtype(), tensor.dims().to_vec()))?;
    see(Content::Rows(tensor))
}
