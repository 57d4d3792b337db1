//! Updates that are queued on a GPU: the host reads their outcomes now and then, and nothing inside an update waits.
//!
//! An update that is not finite is not made, and neither are those after it, until the host has looked
//! ([`FiniteGuard`]). So the weights are then as they were before it. With `train.cuda_graph` an update is captured as
//! a CUDA graph and replayed by one launch.

use std::collections::HashMap;

use candle_core::{Device, Tensor, TensorId};

use super::super::outcome::{Checked, Limits, Submitted, UpdateOutcome};
use super::super::update_batch::{Backward, UpdateBatch};
use crate::error::{Error, Result};
use crate::kernels::Scalar;
use crate::kernels::cuda::{
    CachedConstants, FiniteGuard, Graph, GuardRecord, Replayed, SkipFlag, Thresholds,
};
use crate::nn::{Gradients, Params};
use crate::optim::{Clip, Clipping};

/// The most updates that are in flight before the host looks.
pub(super) const CAPACITY: usize = 64;

/// Number of eager updates per shape before a graph is captured, so that all kernels are loaded.
const WARM_UPS: u32 = 2;

/// The most kinds of updates of which the first ones prepare a graph.
const MOST_SEEN: usize = 8;

/// The work of an update, from its rows to the optimizer's step.
type QueuedWork<'a> = dyn FnMut(QueuedContext<'_>) -> Result<Option<UpdateOutcome>> + 'a;

/// Queues updates.
#[derive(Debug)]
pub(in crate::trainer) struct Queued {
    device: Device,
    guard: FiniteGuard,
    graph: Option<UpdateGraph>,
}

/// The way in which an update is launched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GraphPhase {
    /// Kernel by kernel.
    Eager,
    /// The same, before one of its shape is captured.
    WarmUp,
    /// As a new graph.
    Capture,
    /// By the graph.
    Replay,
}

/// A queued update as its work sees it.
#[derive(Clone, Copy)]
pub(in crate::trainer) struct QueuedContext<'a> {
    guard: &'a FiniteGuard,
    phase: GraphPhase,
    /// The buffer from which a graph reads the constants of the optimizer's kernels.
    replayed: Option<&'a Replayed>,
    /// The buffer from which a graph reads the indices of the batch's rows.
    pub(super) rows: Option<&'a Tensor>,
}

impl Queued {
    pub(super) fn new(params: &Params, graph: bool) -> Result<Self> {
        let device = params.device().clone();
        let guard = FiniteGuard::new(CAPACITY, &device)?;
        let graph = graph.then(|| UpdateGraph::new(params)).transpose()?;
        Ok(Self { device, guard, graph })
    }

    /// Queues the work of an update.
    pub(super) fn run(
        &mut self,
        batch: &UpdateBatch<'_>,
        work: &mut QueuedWork<'_>,
    ) -> Result<Option<UpdateOutcome>> {
        self.guard.begin(batch.time.step, batch.total)?;
        let key = GraphKey::of(batch);
        let (Some(graph), Some(key), Some(rows)) = (&mut self.graph, key, batch.selection.on_device()) else {
            let context =
                QueuedContext { guard: &self.guard, phase: GraphPhase::Eager, replayed: None, rows: None };
            return work(context);
        };
        let phase = graph.phase(key, rows)?;
        let uses_graph = matches!(phase, GraphPhase::Capture | GraphPhase::Replay);
        let replayed = uses_graph.then_some(&graph.replayed);
        let rows = graph.rows.as_ref().filter(|_| uses_graph);
        let context = QueuedContext { guard: &self.guard, phase, replayed, rows };
        let _kept = matches!(phase, GraphPhase::WarmUp | GraphPhase::Capture)
            .then(|| CachedConstants::keep(&self.device));
        match phase {
            GraphPhase::Eager | GraphPhase::WarmUp => return work(context),
            GraphPhase::Capture => match Graph::capture(&self.device, || work(context).map(|_| ())) {
                Ok(captured) => graph.keep(key, captured),
                Err(error) => {
                    self.graph = None;
                    return Err(Error::NotCaptured(Box::new(error)));
                }
            },
            GraphPhase::Replay => {
                work(context)?;
            }
        }
        graph.replay()?;
        Ok(None)
    }

    pub(super) fn outcomes(&self, in_flight: &[Submitted]) -> Result<Vec<UpdateOutcome>> {
        if in_flight.is_empty() {
            return Ok(Vec::new());
        }
        let GuardRecord { losses, norms, first_skipped } = self.guard.read()?;
        let outcome = |Submitted { update, .. }: &Submitted| {
            let place = usize::try_from(update.step).unwrap_or(0) % CAPACITY;
            let is_finite = first_skipped != Some(update.step);
            UpdateOutcome { loss_sum: losses[place], norm: norms[place], is_finite }
        };
        Ok(in_flight.iter().map(outcome).collect())
    }

    pub(super) fn reopen(&mut self) -> Result<()> {
        if let Some(graph) = &mut self.graph {
            graph.forget();
        }
        Ok(self.guard.reopen()?)
    }
}

impl<'a> QueuedContext<'a> {
    pub(super) fn is_eager(&self) -> bool {
        self.phase == GraphPhase::Eager
    }

    pub(super) fn is_captured(&self) -> bool {
        self.phase == GraphPhase::Capture
    }

    pub(super) fn is_replayed(&self) -> bool {
        self.phase == GraphPhase::Replay
    }

    /// From where kernels read whether the update is skipped.
    pub(super) fn skip_flag(&self) -> SkipFlag<'a> {
        SkipFlag { guard: self.guard, replayed: self.replayed }
    }

    pub(super) fn step_counter(&self) -> &'a Tensor {
        self.guard.step_counter()
    }

    pub(super) fn restore_unless_made(&self, buffers: &[Tensor], before: &[Tensor]) -> Result<()> {
        Ok(self.guard.restore_skipped(buffers, before)?)
    }

    /// Lets the GPU check loss and gradients, and clip by the norm.
    pub(super) fn check<'b>(
        self,
        backward: Backward<'b>,
        Limits { clip, dtype, .. }: Limits,
    ) -> Result<Checked<'b>>
    where
        'a: 'b,
    {
        let gradients = backward.gradients.into_dense()?;
        if !self.is_replayed() {
            let loss = match backward.loss_sum {
                Scalar::Device(loss) => loss,
                Scalar::Host(loss) => Tensor::new(loss, gradients.flat().device())?,
            };
            let norm = if let Clip::Norm(norm) = clip { Some(norm) } else { None };
            self.guard.check(&loss, gradients.flat(), Thresholds { norm, loss: dtype.largest() })?;
        }
        let clamp = if let Clip::Value(clamp) = clip { clamp } else { f64::INFINITY };
        let condition = Some(self.skip_flag());
        let clipping = Clipping { clamp, condition, ..Clipping::NONE };
        Ok(Checked { outcome: None, step: Some((Gradients::Dense(gradients), clipping)) })
    }
}

/// The properties that all replays of a graph share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct GraphKey {
    /// The inputs of the data set, of which a graph holds the address.
    data: TensorId,
    rows: usize,
    /// The bits of the loss's divisor.
    total: u64,
}

impl GraphKey {
    /// The key of a batch; `None` for one that the host takes part in: rows from a file, or weights of rows.
    fn of(batch: &UpdateBatch<'_>) -> Option<Self> {
        let data = batch.data.on_device().filter(|_| batch.selection.weights().is_none())?;
        Some(Self { data, rows: batch.rows.len(), total: batch.total.to_bits() })
    }
}

/// An update as a CUDA graph, and the tensors that it reads anew in each replay.
#[derive(Debug)]
struct UpdateGraph {
    replayed: Replayed,
    rows: Option<Tensor>,
    seen: HashMap<GraphKey, u32>,
    graph: Option<(GraphKey, Graph)>,
}

impl UpdateGraph {
    fn new(params: &Params) -> Result<Self> {
        // Each has a kernel of its optimizer's and one of its average's.
        let replayed = Replayed::new(2 * params.trainable().len(), params.device())?;
        Ok(Self { replayed, rows: None, seen: HashMap::new(), graph: None })
    }

    /// Captures anew: a graph holds the addresses of tensors that a checkpoint may have replaced.
    fn forget(&mut self) {
        self.replayed.forget();
        self.rows = None;
        self.seen.clear();
        self.graph = None;
    }

    /// The way in which an update of this shape is launched. Stores the numbers of its rows for a graph.
    fn phase(&mut self, key: GraphKey, rows: &Tensor) -> Result<GraphPhase> {
        if let Some((captured, _)) = &self.graph {
            // Others, such as the last batch of an epoch, are launched kernel by kernel.
            if *captured != key {
                return Ok(GraphPhase::Eager);
            }
            if let Some(own) = &self.rows {
                own.slice_set(rows, 0, 0)?;
            }
            return Ok(GraphPhase::Replay);
        }
        // With weights of classes every batch has another divisor: none of them comes often.
        if self.seen.len() == MOST_SEEN && !self.seen.contains_key(&key) {
            return Ok(GraphPhase::Eager);
        }
        let seen = self.seen.entry(key).or_default();
        *seen += 1;
        if *seen <= WARM_UPS {
            return Ok(GraphPhase::WarmUp);
        }
        self.rows = Some(rows.copy()?);
        Ok(GraphPhase::Capture)
    }

    /// Stores a captured graph. Capturing does not run it.
    fn keep(&mut self, key: GraphKey, graph: Graph) {
        self.replayed.is_captured();
        self.graph = Some((key, graph));
    }

    /// Replays the graph with the constants that the optimizer has written.
    fn replay(&self) -> Result<()> {
        self.replayed.send()?;
        self.graph.as_ref().map_or(Ok(()), |(_, graph)| Ok(graph.replay()?))
    }
}
