//! When the outcome of an update is known: at once, or on a GPU later, while up to 64 further updates are in flight.
//!
//! An update that is not finite is not made, on either device, and BatchNorm's statistics are then as they were before it.

mod queued;

use candle_core::{DType, Device, Tensor};

use self::queued::Queued;
pub(super) use self::queued::QueuedContext;
use super::average::Average;
use super::outcome::{Checked, Limits, Submitted, UpdateOutcome};
use super::update_batch::{Backward, UpdateBatch};
use crate::data::Selection;
use crate::error::Result;
use crate::kernels::lerp;
use crate::kernels::norm::euclidean_norm;
use crate::model::Network;
use crate::nn::{Gradients, Params};
use crate::optim::{Clip, Clipping};

/// An update runs through the network in parts of at most this many rows, whose gradients add up: they stay in the
/// cache, and a full batch needs the memory of one part.
const PART: usize = 512;

/// The same on a GPU, which only many rows keep busy.
const GPU_PART: usize = 1 << 14;

/// The most rows that go through the network together on this device.
pub(super) fn rows_at_once(device: &Device) -> usize {
    if device.is_cuda() { GPU_PART } else { PART }
}

/// The work of an update, from its rows to the optimizer's step.
pub(super) type UpdateWork<'a> = dyn FnMut(UpdateContext<'_>) -> Result<Option<UpdateOutcome>> + 'a;

/// Runs updates.
#[derive(Debug)]
pub(super) enum Executor {
    /// The outcome is known when the update has run.
    Immediate,
    /// The outcome is read later, of many updates together.
    Queued(Box<Queued>),
}

/// The executor as the work of one update sees it.
#[derive(Clone, Copy)]
pub(super) enum UpdateContext<'a> {
    /// Everything is computed when it is asked for.
    Immediate,
    /// Everything is queued.
    Queued(QueuedContext<'a>),
}

impl Executor {
    /// The one for these parameters. Updates are queued on a GPU, where the host need not see an update's numbers to make
    /// the next.
    pub(super) fn new(params: &Params, needs_host: bool, graph: bool) -> Result<Self> {
        let kernels = matches!(params.dtype(), DType::F32 | DType::F64);
        if params.device().is_cuda() && kernels && !needs_host {
            return Self::queued(params, graph);
        }
        Ok(Self::Immediate)
    }

    /// One whose updates are queued.
    pub(super) fn queued(params: &Params, graph: bool) -> Result<Self> {
        Ok(Self::Queued(Box::new(Queued::new(params, graph)?)))
    }

    /// The number of updates that can be in flight, including the one that is submitted.
    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Immediate => 1,
            Self::Queued(_) => queued::CAPACITY,
        }
    }

    /// Runs the work of an update.
    pub(super) fn run(
        &mut self,
        network: &Network,
        batch: &UpdateBatch<'_>,
        work: &mut UpdateWork<'_>,
    ) -> Result<Option<UpdateOutcome>> {
        match self {
            Self::Immediate => UpdateContext::Immediate.guarded(network, work),
            Self::Queued(queued) => {
                queued.run(batch, &mut |context| UpdateContext::Queued(context).guarded(network, work))
            }
        }
    }

    /// Waits for the outcomes of these updates, which are all that are in flight.
    pub(super) fn outcomes(&self, in_flight: &[Submitted]) -> Result<Vec<UpdateOutcome>> {
        match self {
            Self::Immediate => Ok(in_flight.iter().filter_map(|submitted| submitted.outcome).collect()),
            Self::Queued(queued) => queued.outcomes(in_flight),
        }
    }

    /// Allows updates again after one that was not made, or after a checkpoint was restored.
    pub(super) fn reopen(&mut self) -> Result<()> {
        match self {
            Self::Immediate => Ok(()),
            Self::Queued(queued) => queued.reopen(),
        }
    }
}

impl<'a> UpdateContext<'a> {
    /// Runs the work, and puts BatchNorm's statistics back where it fails or the update is not made.
    fn guarded(self, network: &Network, work: &mut UpdateWork<'_>) -> Result<Option<UpdateOutcome>> {
        // A graph copies and restores them itself.
        if self.is_replayed() {
            return work(self);
        }
        let params = network.params();
        let before = network.couples_rows().then(|| params.copy_buffers()).transpose()?;
        let outcome = work(self);
        let Some(before) = before else { return outcome };
        match (self, &outcome) {
            (Self::Immediate, Ok(Some(outcome))) if outcome.is_finite => {}
            (Self::Queued(context), Ok(_)) => context.restore_unless_made(&params.buffers(), &before)?,
            // None of it has run yet, so nothing has moved.
            (Self::Queued(context), Err(_)) if context.is_captured() => {}
            _ => params.restore_buffers(&before)?,
        }
        outcome
    }

    /// The weights join their average with the update: now, or on a GPU unless the update is skipped.
    pub(super) fn join(self, average: &mut Average, params: &Params, epoch: u64) -> Result<()> {
        match self {
            Self::Immediate => average.see(params, epoch, false),
            Self::Queued(context) => average.see_later(params, epoch, &|value, weight, share| {
                lerp::assign_unless_skipped(value, weight, share, context.skip_flag())
            }),
        }
    }

    /// The rows of a batch, where a replayed update reads them.
    pub(super) fn rows<'b>(&self, batch: &'b UpdateBatch<'b>) -> Selection<'b> {
        match self {
            Self::Queued(QueuedContext { rows: Some(rows), .. }) => batch.rows_at(rows),
            _ => batch.selection.clone(),
        }
    }

    /// From where kernels read the number of the step, if it is not fixed when they are launched.
    pub(super) fn step_counter(&self) -> Option<&'a Tensor> {
        match self {
            Self::Immediate => None,
            Self::Queued(context) => Some(context.step_counter()),
        }
    }

    /// Whether a backward pass that was captured is run again, and so not by the host.
    pub(super) fn is_replayed(&self) -> bool {
        matches!(self, Self::Queued(context) if context.is_replayed())
    }

    /// Whether the work may be abandoned between its parts.
    pub(super) fn is_interruptible(&self) -> bool {
        !matches!(self, Self::Queued(context) if context.is_captured())
    }

    /// Whether a batch may take the memory of the one before it. A graph has memory of its own.
    pub(super) fn reuses_memory(&self) -> bool {
        !matches!(self, Self::Queued(context) if !context.is_eager())
    }

    /// Whether gradients may be factors that go straight into the weights.
    pub(super) fn defers(&self) -> bool {
        matches!(self, Self::Immediate)
    }

    /// Finite? And how are the gradients clipped?
    pub(super) fn check<'b>(self, backward: Backward<'b>, total: f64, limits: Limits) -> Result<Checked<'b>>
    where
        'a: 'b,
    {
        match self {
            Self::Immediate => check(backward, total, limits),
            Self::Queued(context) => context.check(backward, limits),
        }
    }
}

/// Checks loss and gradients that are known.
fn check(backward: Backward<'_>, total: f64, limits: Limits) -> Result<Checked<'_>> {
    let Limits { clip, dtype, wants_norm } = limits;
    let loss_sum = backward.loss_sum.read()?;
    let failed =
        |norm| Checked { outcome: Some(UpdateOutcome { loss_sum, norm, is_finite: false }), step: None };
    // Sums run in f64: a loss that is too large for the run's own type diverges too.
    if !dtype.holds(loss_sum / total) {
        return Ok(failed(f64::NAN));
    }
    let gradients = backward.gradients.bounded()?;
    let parts = match &gradients {
        Gradients::Dense(dense) => Some(dense.parts()),
        Gradients::Factored(_) => None,
    };
    let clipping = parts.as_ref().map_or(Ok(Clipping::NONE), |parts| clip.of(parts))?;
    let norm = match (clipping.norm, &parts) {
        (None, Some(parts)) if wants_norm => Some(euclidean_norm(parts)?),
        (norm, _) => norm,
    };
    let is_finite = match norm {
        Some(norm) if norm.is_finite() => true,
        Some(_) if clipping.norm.is_some() => false,
        // Squares can be too large where the gradients are not.
        _ => gradients.are_finite()?,
    };
    if !is_finite {
        let norm = Clip::Norm(1.0).of(&gradients.into_dense()?.parts())?.norm;
        return Ok(failed(norm.unwrap_or(f64::NAN)));
    }
    let outcome = UpdateOutcome { loss_sum, norm: norm.unwrap_or(f64::NAN), is_finite };
    Ok(Checked { outcome: Some(outcome), step: Some((gradients, clipping)) })
}
