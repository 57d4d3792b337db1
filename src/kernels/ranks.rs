//! Sums over the shards of a batch, on this rank and the others.

use std::io;

use candle_core::{DType, Device, Error, Result, Tensor};

use super::storage::{Float, edit, view};
use super::vectorized::vectorized;
use super::{by_dtype, is_fused, team};
use crate::distributed::{Communicator, Numbers, Shards, add_in_tree};

/// Elements that one thread takes at a time.
const CHUNK: usize = 1 << 14;

/// Adds up contiguous tensors of one shape, one for each shard of this rank, and those of all other ranks, into the first.
pub fn sum(parts: &mut [&Tensor], shards: &Shards) -> Result<()> {
    add_in_tree(parts, |into, from| add(into, from))?;
    let Some(total) = parts.first() else { return Ok(()) };
    if shards.ranks().size() == 1 {
        return Ok(());
    }
    exchange(total, &|numbers| shards.sum_over_ranks(numbers))
}

/// Replaces the elements of a contiguous tensor by those that rank `root` has.
pub fn broadcast(tensor: &Tensor, root: usize, ranks: &dyn Communicator) -> Result<()> {
    exchange(tensor, &|numbers| ranks.broadcast(numbers, root))
}

/// Gives the elements of a contiguous tensor to ranks. Those of a GPU go through the host.
fn exchange(tensor: &Tensor, by: &dyn Fn(Numbers<'_>) -> io::Result<()>) -> Result<()> {
    if !tensor.device().is_cpu() {
        let here = tensor.to_device(&Device::Cpu)?;
        exchange(&here, by)?;
        return replace(tensor, &here);
    }
    match tensor.dtype() {
        DType::F32 => edit::<f32, _>(tensor, |xs| by(Numbers::F32(xs)))?.map_err(Error::wrap),
        DType::F64 => edit::<f64, _>(tensor, |xs| by(Numbers::F64(xs)))?.map_err(Error::wrap),
        dtype => {
            // Sums of 16 bits are made in 32, as the products are; counters need more.
            let is_half = matches!(dtype, DType::F16 | DType::BF16);
            let wide = tensor.to_dtype(if is_half { DType::F32 } else { DType::F64 })?;
            exchange(&wide, by)?;
            replace(tensor, &wide.to_dtype(tensor.dtype())?)
        }
    }
}

/// The same for numbers of the host.
pub fn sum_numbers(parts: Vec<Vec<f64>>, shards: &Shards) -> Result<Vec<f64>> {
    shards.sum(parts).map_err(Error::wrap)
}

/// Writes the elements of another tensor into a contiguous one of its shape, which may be a scalar's.
fn replace(tensor: &Tensor, by: &Tensor) -> Result<()> {
    tensor.flatten_all()?.slice_set(&by.to_device(tensor.device())?.flatten_all()?, 0, 0)
}

/// `into ← into + from`.
fn add(into: &Tensor, from: &Tensor) -> Result<()> {
    if !is_fused(into) {
        return into.slice_set(&(into + from)?, 0, 0);
    }
    by_dtype!(into, T => {
        let from = view::<T>(from)?;
        edit::<T, _>(into, |into| {
            let chunks = into.chunks_mut(CHUNK).zip(from.chunks(CHUNK)).collect();
            team::for_each(chunks, |(into, from)| add_slices(into, from));
        })
    })
}

vectorized! {
    fn add_slices[T: Float](into: &mut [T], from: &[T]) {
        for (into, from) in into.iter_mut().zip(from) {
            *into += *from;
        }
    }
}
