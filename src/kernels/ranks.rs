//! Sums over ranks.

use candle_core::{DType, Error, Result, Tensor, bail};

use super::storage::edit;
use crate::distributed::{Communicator, Numbers};

/// Replaces the elements of a contiguous tensor by their sums over all ranks.
pub fn sum(tensor: &Tensor, ranks: &dyn Communicator) -> Result<()> {
    if ranks.size() == 1 {
        return Ok(());
    }
    match (tensor.device().is_cpu(), tensor.dtype()) {
        (true, DType::F32) => edit::<f32, _>(tensor, |xs| ranks.sum(Numbers::F32(xs)))?.map_err(Error::wrap),
        (true, DType::F64) => edit::<f64, _>(tensor, |xs| ranks.sum(Numbers::F64(xs)))?.map_err(Error::wrap),
        (_, dtype) => bail!("several ranks train in f32 or f64 on CPUs, not in {} elsewhere", dtype.as_str()),
    }
}

/// The same for numbers of the host.
pub fn sum_numbers(numbers: &mut [f64], ranks: &dyn Communicator) -> Result<()> {
    ranks.sum(Numbers::F64(numbers)).map_err(Error::wrap)
}
