//! Ranks: processes that train one network together, each on its own rows of a batch.
//!
//! The interface is small. BatchNorm's sums are added over ranks within a batch, and the gradients after it, so that
//! every rank makes the same update as one process with all rows. Values that follow from the rows' numbers and targets
//! alone, such as the divisor of a loss, are computed by each rank from the whole batch. Before that, ranks may share the
//! reading of a file out.

#[cfg(feature = "mpi")]
mod mpi;
mod shards;
#[cfg(test)]
pub(crate) mod threads;

use std::io;

use crate::error::Result;

#[cfg(feature = "mpi")]
pub use mpi::World;
pub use shards::{Shards, add_in_tree};

/// Numbers that are exchanged in place.
#[derive(Debug)]
pub enum Numbers<'a> {
    /// 32 bits each.
    F32(&'a mut [f32]),
    /// 64 bits each.
    F64(&'a mut [f64]),
}

impl Numbers<'_> {
    /// The same numbers, for a shorter while.
    pub fn again(&mut self) -> Numbers<'_> {
        match self {
            Self::F32(numbers) => Numbers::F32(numbers),
            Self::F64(numbers) => Numbers::F64(numbers),
        }
    }
}

/// The communication of a rank with the others. All ranks call the same methods in the same order, with equally many
/// numbers.
pub trait Communicator: std::fmt::Debug + Send + Sync {
    /// The number of this rank, from 0.
    fn rank(&self) -> usize;

    /// The number of ranks.
    fn size(&self) -> usize;

    /// The name of the machine that this rank runs on.
    fn host(&self) -> String;

    /// Replaces the numbers of every rank by their sums over all ranks, the same bits on each.
    ///
    /// # Errors
    /// A rank that cannot be reached.
    fn sum(&self, numbers: Numbers<'_>) -> io::Result<()>;

    /// Adds rank `of`'s numbers to ours. Rank `of` must call this with our rank.
    ///
    /// # Errors
    /// As [`Self::sum`].
    fn add(&self, numbers: Numbers<'_>, of: usize) -> io::Result<()>;

    /// Replaces the numbers of every rank by those of rank `root`.
    ///
    /// # Errors
    /// As [`Self::sum`].
    fn broadcast(&self, numbers: Numbers<'_>, root: usize) -> io::Result<()>;

    /// Replaces the bytes of every rank, however many, by those of rank `root`.
    ///
    /// # Errors
    /// As [`Self::sum`].
    fn broadcast_bytes(&self, bytes: &mut Vec<u8>, root: usize) -> io::Result<()>;

    /// Waits until every rank is here.
    ///
    /// # Errors
    /// As [`Self::sum`].
    fn barrier(&self) -> io::Result<()>;

    /// Ends all ranks with this exit code, because this one cannot go on.
    fn abort(&self, code: i32) -> !;
}

/// The only rank.
#[derive(Debug, Clone, Copy, Default)]
pub struct Single;

/// The numbers of all ranks, in their order; each rank has equally many.
///
/// # Errors
/// As [`Communicator::sum`].
pub fn gather(ranks: &dyn Communicator, own: &[f64]) -> Result<Vec<Vec<f64>>> {
    let mut all = vec![0.0; own.len() * ranks.size()];
    let start = own.len() * ranks.rank();
    all[start..start + own.len()].copy_from_slice(own);
    ranks.sum(Numbers::F64(&mut all)).map_err(candle_core::Error::wrap)?;
    Ok(all.chunks(own.len().max(1)).map(<[f64]>::to_vec).collect())
}

impl Communicator for Single {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn host(&self) -> String {
        String::new()
    }

    fn sum(&self, _: Numbers<'_>) -> io::Result<()> {
        Ok(())
    }

    fn add(&self, _: Numbers<'_>, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn broadcast(&self, _: Numbers<'_>, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn broadcast_bytes(&self, _: &mut Vec<u8>, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn barrier(&self) -> io::Result<()> {
        Ok(())
    }

    fn abort(&self, code: i32) -> ! {
        std::process::exit(code)
    }
}
