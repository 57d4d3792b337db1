//! Ranks: processes that train one network together, each on its own rows of a batch.
//!
//! The seam is small. The divisor of a loss is summed over ranks before a batch, BatchNorm's sums within it, and the
//! gradients behind it, so that every rank makes the same update as one process with all rows.

use std::io;

/// Numbers that are exchanged in place.
#[derive(Debug)]
pub enum Numbers<'a> {
    /// 32 bits each.
    F32(&'a mut [f32]),
    /// 64 bits each.
    F64(&'a mut [f64]),
}

/// How a rank speaks with the others. All ranks call the same methods in the same order, with as many numbers.
pub trait Communicator: std::fmt::Debug + Send + Sync {
    /// The number of this rank, from 0.
    fn rank(&self) -> usize;

    /// The number of ranks.
    fn size(&self) -> usize;

    /// Replaces the numbers of every rank by their sums over all ranks, the same bits on each.
    ///
    /// # Errors
    /// A rank that cannot be reached.
    fn sum(&self, numbers: Numbers<'_>) -> io::Result<()>;

    /// Replaces the numbers of every rank by those of rank `root`.
    ///
    /// # Errors
    /// As [`Self::sum`].
    fn broadcast(&self, numbers: Numbers<'_>, root: usize) -> io::Result<()>;

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

impl Communicator for Single {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum(&self, _: Numbers<'_>) -> io::Result<()> {
        Ok(())
    }

    fn broadcast(&self, _: Numbers<'_>, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn barrier(&self) -> io::Result<()> {
        Ok(())
    }

    fn abort(&self, code: i32) -> ! {
        std::process::exit(code)
    }
}
