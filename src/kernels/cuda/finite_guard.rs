//! Decides on the device whether updates are made, so that the host need not wait for each.

use candle_core::{DType, Device, Result, Tensor};

use super::launch::{Arg, Kernel, Threads, launch, send};
use super::replayed::Replayed;

/// The most blocks that read the gradients, and the elements for which one more block pays.
const BLOCKS: usize = 1024;
const ELEMENTS: usize = 1 << 10;

/// Loss and gradient norm of the last updates, and whether all of them were finite. From the first that is not on, all
/// updates are skipped until [`Self::reopen`].
#[derive(Debug)]
pub struct FiniteGuard {
    /// The clipping factor, 1 while updates are made or 0, and the first step that was skipped.
    skip_flag: Tensor,
    /// Losses by step % places, then the gradients' norms.
    losses: Tensor,
    partial: Tensor,
    /// The step, and what its loss is divided by to be the mean.
    step_counter: Tensor,
    places: usize,
}

/// Lets a kernel skip its update, and clips by a factor that only the device knows.
#[derive(Debug, Clone, Copy)]
pub struct SkipFlag<'a> {
    /// Whether the update is skipped.
    pub guard: &'a FiniteGuard,
    /// The buffer of the kernel's constants, if it is part of a captured graph.
    pub replayed: Option<&'a Replayed>,
}

/// The limits of an update.
#[derive(Debug, Clone, Copy)]
pub struct Thresholds {
    /// Gradients are clipped to this norm.
    pub norm: Option<f64>,
    /// The largest mean loss.
    pub loss: f64,
}

/// A guard's record of the last updates.
#[derive(Debug, Clone)]
pub struct GuardRecord {
    /// Losses by step % places.
    pub losses: Vec<f64>,
    /// The norms of the gradients, likewise.
    pub norms: Vec<f64>,
    /// The first step that was skipped.
    pub first_skipped: Option<u64>,
}

impl FiniteGuard {
    /// A guard that keeps loss and norm of the last `places` updates.
    pub fn new(places: usize, device: &Device) -> Result<Self> {
        let guard = Self {
            skip_flag: Tensor::zeros(3, DType::F64, device)?,
            losses: Tensor::zeros(2 * places, DType::F64, device)?,
            partial: Tensor::zeros(2 * BLOCKS, DType::F64, device)?,
            step_counter: Tensor::zeros(2, DType::F64, device)?,
            places,
        };
        guard.reopen()?;
        Ok(guard)
    }

    /// Makes updates again.
    pub fn reopen(&self) -> Result<()> {
        send(&self.skip_flag, &[1.0, 1.0, 0.0])
    }

    /// Sets the number of the next step, and what its loss is divided by.
    #[allow(clippy::cast_precision_loss, reason = "2^53 updates are not reached")]
    pub fn begin(&self, step: u64, total: f64) -> Result<()> {
        send(&self.step_counter, &[step as f64, total])
    }

    /// From where kernels read the number of the step.
    pub fn step_counter(&self) -> &Tensor {
        &self.step_counter
    }

    /// From where kernels read the clipping factor, and whether the update is skipped.
    pub fn skip_flag(&self) -> &Tensor {
        &self.skip_flag
    }

    /// Checks the update of [`Self::begin`]: the sum of its losses, and all its gradients in one tensor.
    pub fn check(&self, loss: &Tensor, grads: &Tensor, limits: Thresholds) -> Result<()> {
        let count = grads.elem_count();
        let chunks = count.div_ceil(ELEMENTS).clamp(1, BLOCKS);
        let args = [Arg::Out(&self.partial), Arg::In(grads), Arg::Count(count), Arg::Count(chunks)];
        launch(grads.device(), Kernel::of("squares", grads.dtype()), Threads::Blocks(chunks), &args)?;
        let args = [
            Arg::Out(&self.skip_flag),
            Arg::Out(&self.losses),
            Arg::In(loss),
            Arg::In(&self.partial),
            Arg::Count(chunks),
            Arg::In(&self.step_counter),
            Arg::Count(self.places),
            Arg::F64(limits.norm.unwrap_or(-1.0)),
            Arg::F64(limits.loss),
        ];
        launch(self.skip_flag.device(), Kernel::untyped("finite_guard"), Threads::Blocks(1), &args)
    }

    /// Restores buffers to their values before the update, if it is skipped.
    pub fn restore_skipped(&self, buffers: &[Tensor], before: &[Tensor]) -> Result<()> {
        for (buffer, before) in buffers.iter().zip(before) {
            let count = buffer.elem_count();
            let dtype = buffer.dtype();
            let kernel = if dtype.is_float() {
                Kernel::of("restore_skipped", dtype)
            } else {
                Kernel::untyped("restore_skipped_count")
            };
            let args = [Arg::Out(buffer), Arg::In(before), Arg::Count(count), Arg::In(&self.skip_flag)];
            launch(buffer.device(), kernel, Threads::Each(count), &args)?;
        }
        Ok(())
    }

    /// Waits for the device, and reads what it has of the last updates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a step")]
    pub fn read(&self) -> Result<GuardRecord> {
        let all = Tensor::cat(&[&self.losses, &self.skip_flag], 0)?.to_vec1::<f64>()?;
        let (losses, rest) = all.split_at(self.places);
        let (norms, skip_flag) = rest.split_at(self.places);
        let first_skipped = (skip_flag[1] == 0.0).then_some(skip_flag[2] as u64);
        Ok(GuardRecord { losses: losses.to_vec(), norms: norms.to_vec(), first_skipped })
    }
}
