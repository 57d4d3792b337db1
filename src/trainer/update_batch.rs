//! The rows of an update, and the result of their pass through the network.

use candle_core::Tensor;

use super::options::FloatType;
use super::outcome::{Update, UpdateOutcome};
use crate::data::{Dataset, Selection};
use crate::error::Error;
use crate::kernels::Scalar;
use crate::nn::Gradients;
use crate::optim::schedule::ScheduleTime;

/// The rows of an update, and the time at which the schedule sees it.
pub(super) struct UpdateBatch<'a> {
    pub(super) data: &'a Dataset,
    pub(super) rows: &'a [u32],
    /// The same rows, where the data is.
    pub(super) selection: Selection<'a>,
    /// The divisor that turns the sum of the losses into their mean.
    pub(super) total: f64,
    pub(super) time: ScheduleTime,
    pub(super) lr: f64,
    /// The factor of the probabilities of dropout.
    pub(super) dropout: f64,
    /// Whether it may be abandoned between its parts.
    pub(super) is_interruptible: bool,
}

/// The result of a pass.
pub(super) struct Backward<'a> {
    /// The sum of the rows' losses.
    pub(super) loss_sum: Scalar,
    pub(super) gradients: Gradients<'a>,
}

impl UpdateBatch<'_> {
    /// Its rows, whose numbers are elsewhere on the device.
    pub(super) fn rows_at(&self, numbers: &Tensor) -> Selection<'_> {
        self.selection.with_numbers(numbers)
    }

    /// The update's report, without its loss.
    pub(super) fn update(&self) -> Update {
        let Self { time, total, rows, lr, .. } = *self;
        Update {
            step: time.step,
            loss_sum: f64::NAN,
            total,
            rows: rows.len(),
            lr,
            norm: None,
            is_clipped: false,
        }
    }

    /// The error of an update that is not made, in a run of numbers of this type.
    pub(super) fn diverged(&self, outcome: UpdateOutcome, dtype: FloatType) -> Error {
        let mean = outcome.loss_sum / self.total;
        let (what, value) = if dtype.holds(mean) {
            ("norm of the gradients", outcome.norm)
        } else {
            ("loss", dtype.round(mean))
        };
        let Self { time: ScheduleTime { step, epoch, .. }, lr, .. } = *self;
        Error::Diverged { what, value, step, epoch, lr, first: None, record: None }
    }
}
