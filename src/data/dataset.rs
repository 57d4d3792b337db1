//! The rows of a split on a device, to be read in any order.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::order::{Order, order};
use super::selection::{RowNumbers, Selection};
use super::stored::Stored;
use super::targets::TargetInfo;
use super::units::Units;
use crate::error::Result;
use crate::kernels::gather::{self, Affine};
use candle_core::{DType, Device, Tensor};

/// The most numbers, and the most rows, of a chunk.
const CHUNK_NUMBERS: usize = 1 << 22;
const CHUNK_ROWS: usize = 1 << 16;

/// Inputs and targets of one split. Bytes are converted to floats batch by batch.
#[derive(Debug, Clone)]
pub struct Dataset {
    store: Store,
    row: Vec<usize>,
    affine: Affine,
    dtype: DType,
    units: Option<Units>,
    info: Arc<TargetInfo>,
    /// The index of each row's first step among the rows in memory; `None`: the row's own number.
    starts: Option<Arc<Vec<u32>>>,
}

/// The storage of the rows.
#[derive(Debug, Clone)]
enum Store {
    /// Inputs (N, …) and targets (N) or (N, K). A row of inputs may overlap the rows that follow.
    Memory {
        xs: Tensor,
        ys: Tensor,
        /// The values as the source has them, (N, K) of F64 on the CPU; `None` if it has no F64.
        exact: Option<Tensor>,
        /// A copy of the classes on the CPU if `ys` is on a GPU, to count them without waiting for it.
        here: Option<Tensor>,
    },
    /// In a file; batches go to the device.
    File(Stored, Device),
}

/// The rows of one forward pass.
#[derive(Debug, Clone)]
pub struct Batch {
    /// (B, F) or (B, T, F), normalised, in the dtype of the run.
    pub xs: Tensor,
    /// Classes (B) as I64, or values (B, K).
    pub ys: Tensor,
}

impl Dataset {
    /// A data set of `xs` (N, …), on which a batch applies `affine`, and `ys` (N) or (N, K).
    pub fn new(xs: &Tensor, ys: &Tensor, affine: Affine, dtype: DType, device: &Device) -> Result<Self> {
        // Numbers are converted once, bytes a batch at a time.
        let xs = if xs.dtype() == DType::U8 { xs.clone() } else { xs.to_dtype(dtype)? };
        let exact = (ys.dtype() == DType::F64).then(|| ys.contiguous()).transpose()?;
        let ys = if ys.dtype() == DType::I64 { ys.clone() } else { ys.to_dtype(dtype)? };
        let here =
            (!device.is_cpu() && ys.dtype() == DType::I64).then(|| ys.to_device(&Device::Cpu)).transpose()?;
        let (xs, ys) = (xs.contiguous()?.to_device(device)?, ys.contiguous()?.to_device(device)?);
        let row = xs.dims()[1..].to_vec();
        let store = Store::Memory { xs, ys, exact, here };
        Ok(Self { store, row, affine, dtype, units: None, info: Arc::default(), starts: None })
    }

    /// A data set whose rows are in a file.
    pub fn stored(rows: Stored, dtype: DType, device: &Device) -> Self {
        let row = vec![rows.form().features];
        let (store, affine) = (Store::File(rows, device.clone()), Affine::IDENTITY);
        Self { store, row, affine, dtype, units: None, info: Arc::default(), starts: None }
    }

    /// The rows that start at these of the rows in memory, in this order; targets are found there too.
    pub(super) fn with_starts(self, starts: Option<Vec<u32>>) -> Self {
        Self { starts: starts.map(Arc::new), ..self }
    }

    /// The same rows with another row shape, `[F]` or `[T, F]`. Rows may overlap, as the windows of a series do.
    pub fn with_row_shape(self, row: &[usize]) -> Self {
        Self { row: row.to_vec(), ..self }
    }

    /// The same rows, whose targets are standardised with these means and deviations.
    pub fn with_units(mut self, units: Option<Units>) -> Result<Self> {
        if let (Some(units), Store::Memory { ys, exact: Some(exact), .. }) = (&units, &mut self.store) {
            *ys = units.standardize(exact, self.dtype)?.to_device(ys.device())?;
        }
        self.units = units;
        Ok(self)
    }

    /// The same rows, whose classes and targets have names.
    pub fn with_target_info(self, info: Arc<TargetInfo>) -> Self {
        Self { info, ..self }
    }

    /// The names of classes and targets, and the positive class.
    pub fn target_info(&self) -> &TargetInfo {
        &self.info
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match (&self.starts, &self.store) {
            (Some(starts), _) => starts.len(),
            (None, Store::Memory { ys, .. }) => ys.dims()[0],
            (None, Store::File(rows, _)) => rows.len(),
        }
    }

    /// The indices of these rows' first steps among the rows in memory.
    fn places<'a>(&self, rows: &'a [u32]) -> Cow<'a, [u32]> {
        match &self.starts {
            None => Cow::Borrowed(rows),
            // A row beyond the last has no place, which is an error where it is looked for.
            Some(starts) => {
                rows.iter().map(|row| starts.get(*row as usize).copied().unwrap_or(u32::MAX)).collect()
            }
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape of one row: `[F]` or `[T, F]`.
    pub fn row_shape(&self) -> &[usize] {
        &self.row
    }

    /// The units of the targets if they are standardised.
    pub fn units(&self) -> Option<&Units> {
        self.units.as_ref()
    }

    /// The affine map of the inputs of a batch.
    pub(super) fn affine(&self) -> Affine {
        self.affine
    }

    /// Calls `f` with all inputs and targets as they are kept, tensor by tensor.
    pub(super) fn for_each_part(&self, mut f: impl FnMut(&Tensor) -> Result<()>) -> Result<()> {
        match &self.store {
            Store::Memory { xs, ys, .. } => {
                f(xs)?;
                f(ys)?;
                let starts = self.starts.as_ref();
                starts.map_or(Ok(()), |starts| f(&Tensor::new(starts.as_slice(), &Device::Cpu)?))
            }
            Store::File(rows, _) => {
                for chunk in self.chunks() {
                    f(&rows.features(&chunk)?)?;
                    f(&self.standardized(&rows.targets(&chunk)?)?)?;
                }
                Ok(())
            }
        }
    }

    /// The dtype of a batch.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// All row indices in order, in chunks of some thousands.
    pub fn chunks(&self) -> impl Iterator<Item = Vec<u32>> + use<> {
        let rows = CHUNK_NUMBERS / self.row.iter().product::<usize>().max(1);
        chunks(0..self.len(), rows.clamp(1, CHUNK_ROWS))
    }

    /// All row indices in order, in chunks of this many.
    pub fn chunks_of(&self, rows: usize) -> impl Iterator<Item = Vec<u32>> + use<> {
        chunks(0..self.len(), rows)
    }

    /// The order of the rows in an epoch: unchanged, or shuffled by (seed, epoch).
    pub fn order(&self, shuffle: bool, seed: u64, epoch: u64) -> Order {
        match &self.store {
            Store::File(..) => Order::blocks(self.len(), shuffle.then_some(seed), epoch),
            Store::Memory { .. } => Order::of(order(self.len(), shuffle, seed, epoch)),
        }
    }

    /// The inputs of these rows.
    pub fn inputs(&self, rows: &[u32]) -> Result<Tensor> {
        self.inputs_again(rows, None)
    }

    /// The inputs of these rows, written into the memory of an earlier batch if that fits.
    pub fn inputs_again(&self, rows: &[u32], again: Option<Tensor>) -> Result<Tensor> {
        match &self.store {
            Store::Memory { xs, .. } => {
                Ok(gather::rows(xs, &self.places(rows), &self.row, self.affine, self.dtype, again)?)
            }
            Store::File(stored, device) => {
                let shape = [&[rows.len()], self.row.as_slice()].concat();
                Ok(stored.features(rows)?.reshape(shape)?.to_dtype(self.dtype)?.to_device(device)?)
            }
        }
    }

    /// The targets of these rows, standardised where the data set has units.
    pub fn targets(&self, rows: &[u32]) -> Result<Tensor> {
        let places = self.places(rows);
        match &self.store {
            Store::Memory { ys, .. } if ys.dtype() == DType::I64 => Ok(gather::classes(ys, &places)?),
            Store::Memory { ys, .. } => {
                Ok(gather::rows(ys, &places, &ys.dims()[1..], Affine::IDENTITY, self.dtype, None)?)
            }
            Store::File(stored, device) => {
                Ok(self.standardized(&stored.targets(rows)?)?.to_device(device)?)
            }
        }
    }

    /// The targets of these rows as the source has them: classes, or values (rows, K) of F64 on the CPU.
    pub fn exact_targets(&self, rows: &[u32]) -> Result<Tensor> {
        match &self.store {
            Store::Memory { exact: Some(exact), .. } => {
                let identity = Affine::IDENTITY;
                Ok(gather::rows(exact, &self.places(rows), &exact.dims()[1..], identity, DType::F64, None)?)
            }
            Store::Memory { .. } => self.targets(rows),
            Store::File(stored, _) => stored.targets(rows),
        }
    }

    /// Targets of a file as they are trained on: classes, or values in the dtype of a batch.
    fn standardized(&self, ys: &Tensor) -> Result<Tensor> {
        match &self.units {
            _ if ys.dtype() == DType::I64 => Ok(ys.clone()),
            Some(units) => units.standardize(ys, self.dtype),
            None => Ok(ys.to_dtype(self.dtype)?),
        }
    }

    /// Finds these rows where the data is, for [`Self::part`].
    pub fn select<'a>(&self, rows: &'a [u32]) -> Result<Selection<'a>> {
        match &self.store {
            Store::Memory { xs, .. } if gather::cuda_takes(xs, self.dtype) => {
                let numbers = gather::there(xs, &self.places(rows), &self.row)?;
                Ok(Selection::new(RowNumbers::Device(numbers), self.targets_to_count(rows)?))
            }
            _ => Ok(Selection::new(RowNumbers::Host(rows), self.targets(rows)?)),
        }
    }

    /// The part of a selection at these places. `again` may be the inputs of another part that are no longer needed.
    pub fn part(&self, of: &Selection<'_>, at: Range<usize>, again: Option<Tensor>) -> Result<Batch> {
        let (start, len) = (at.start, at.len());
        match (of.numbers(), &self.store) {
            (RowNumbers::Host(rows), _) => {
                let ys = of.targets().narrow(0, start, len)?;
                Ok(Batch { xs: self.inputs_again(&rows[at], again)?, ys })
            }
            (RowNumbers::Device(rows), Store::Memory { xs, ys, .. }) => {
                let rows = rows.narrow(0, start, len)?;
                let xs = gather::rows_there(xs, &rows, &self.row, self.affine, self.dtype)?;
                let ys = if ys.dtype() == DType::I64 {
                    ys.index_select(&rows, 0)?
                } else {
                    gather::rows_there(ys, &rows, &ys.dims()[1..], Affine::IDENTITY, self.dtype)?
                };
                Ok(Batch { xs, ys })
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

    /// Inputs and targets of these rows.
    pub fn batch(&self, rows: &[u32]) -> Result<Batch> {
        Ok(Batch { xs: self.inputs(rows)?, ys: self.targets(rows)? })
    }
}

fn chunks(rows: Range<usize>, size: usize) -> impl Iterator<Item = Vec<u32>> {
    let Range { start, end } = rows;
    let row = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
    (start..end).step_by(size.max(1)).map(move |first| (row(first)..row(end.min(first + size))).collect())
}
