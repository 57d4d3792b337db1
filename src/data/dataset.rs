//! The rows of a split on a device, to be read in any order.

mod contents;
mod encoded;
mod select;
mod subtracted;
mod weights;
mod with;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

pub(super) use self::contents::Content;
use self::subtracted::Subtracted;
pub use self::weights::HeaviestRow;
use super::order::{Order, order};
use super::series_baselines::SeriesBaselines;
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
    /// The index of each row's first step among the stored rows; `None`: the row's own number.
    starts: Option<Arc<Vec<u32>>>,
    baselines: Option<Arc<SeriesBaselines>>,
    /// The values subtracted from the windows of a series.
    subtracted: Option<Arc<Subtracted>>,
    /// The weight of each row; `None`: they count alike.
    weights: Option<Arc<Vec<f64>>>,
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
    /// The weight of each row, (B) of F64 on the CPU; `None`: they count alike.
    pub weights: Option<Tensor>,
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
        Ok(Self::of(Store::Memory { xs, ys, exact, here }, row, affine, dtype))
    }

    /// A data set whose rows are in a file.
    pub fn stored(rows: Stored, dtype: DType, device: &Device) -> Self {
        let row = vec![rows.form().features];
        Self::of(Store::File(rows, device.clone()), row, Affine::IDENTITY, dtype)
    }

    /// A data set of rows that count alike, whose targets are learnt as they are.
    fn of(store: Store, row: Vec<usize>, affine: Affine, dtype: DType) -> Self {
        Self {
            store,
            row,
            affine,
            dtype,
            units: None,
            info: Arc::default(),
            starts: None,
            baselines: None,
            subtracted: None,
            weights: None,
        }
    }

    /// The errors of simple forecasts for the windows of a series.
    pub fn series_baselines(&self) -> Option<&SeriesBaselines> {
        self.baselines.as_deref()
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

    /// The indices of these rows' first steps among the stored rows.
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

    /// The units of the targets if they are standardised; of targets that are changes without what they change from.
    pub fn units(&self) -> Option<&Units> {
        self.units.as_ref()
    }

    /// The affine map of the inputs of a batch.
    pub(super) fn affine(&self) -> Affine {
        self.affine
    }

    /// The dtype of a batch.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// All row indices in order, in chunks of some thousands.
    pub fn chunks(&self) -> impl Iterator<Item = Vec<u32>> + use<> {
        let inputs: usize = self.row.iter().product();
        chunks(0..self.len(), rows_of_chunk(inputs.max(self.outputs())))
    }

    /// The targets of a row.
    fn outputs(&self) -> usize {
        match &self.store {
            Store::Memory { ys, .. } => ys.dims()[1..].iter().product(),
            Store::File(rows, _) => rows.outputs(),
        }
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
                let xs = gather::rows(xs, &self.places(rows), &self.row, self.affine, self.dtype, again)?;
                self.without_last(&xs)
            }
            Store::File(stored, device) => {
                let shape = [&[rows.len()], self.row.as_slice()].concat();
                let xs = stored.features(&self.places(rows))?.reshape(shape)?.to_dtype(self.dtype)?;
                self.without_last(&xs.to_device(device)?)
            }
        }
    }

    /// Windows without their last values, where these are subtracted.
    fn without_last(&self, xs: &Tensor) -> Result<Tensor> {
        self.subtracted.as_ref().map_or(Ok(xs.clone()), |subtracted| subtracted.how().apply(xs))
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
                let exact = stored.targets(&places)?;
                let ys = match &self.subtracted {
                    Some(subtracted) => subtracted.changes_of(&exact, rows)?,
                    None => exact,
                };
                Ok(self.standardized(&ys)?.to_device(device)?)
            }
        }
    }

    /// The targets of these rows as the source has them, on the CPU: classes, or values (rows, K).
    pub fn exact_targets(&self, rows: &[u32]) -> Result<Tensor> {
        let targets = match &self.store {
            Store::Memory { exact: Some(exact), .. } => {
                let identity = Affine::IDENTITY;
                gather::rows(exact, &self.places(rows), &exact.dims()[1..], identity, DType::F64, None)?
            }
            Store::Memory { .. } => self.targets(rows)?,
            Store::File(stored, _) => stored.targets(&self.places(rows))?,
        };
        Ok(targets.to_device(&Device::Cpu)?)
    }

    /// Targets of a file as they are trained on: classes, or values in the dtype of a batch.
    fn standardized(&self, ys: &Tensor) -> Result<Tensor> {
        match &self.units {
            _ if ys.dtype() == DType::I64 => Ok(ys.clone()),
            Some(units) => units.standardize(ys, self.dtype),
            None => Ok(ys.to_dtype(self.dtype)?),
        }
    }

    /// Inputs and targets of these rows.
    pub fn batch(&self, rows: &[u32]) -> Result<Batch> {
        Ok(Batch { xs: self.inputs(rows)?, ys: self.targets(rows)?, weights: self.row_weights(rows)? })
    }
}

/// The rows of a chunk, of so many numbers each.
fn rows_of_chunk(width: usize) -> usize {
    (CHUNK_NUMBERS / width.max(1)).clamp(1, CHUNK_ROWS)
}

fn chunks(rows: Range<usize>, size: usize) -> impl Iterator<Item = Vec<u32>> {
    let Range { start, end } = rows;
    let row = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
    (start..end).step_by(size.max(1)).map(move |first| (row(first)..row(end.min(first + size))).collect())
}
