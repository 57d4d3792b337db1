//! Updates as a CUDA graph, with `train.cuda_graph`: captured once, then replayed by one launch.

use std::collections::HashMap;

use candle_core::{Device, Tensor};

use crate::error::Result;
use crate::kernels::cuda::{Graph, Replayed};

/// Updates of a kind that are made kernel by kernel before one is captured: they load what it needs.
const BEFORE: u32 = 2;

/// What all replays of a graph have in common: the number of rows, and the bits of what their loss is divided by.
pub(super) type Kind = (usize, u64);

/// How an update is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Kernel by kernel.
    Eager,
    /// The same, before one of its kind is captured.
    Warm,
    /// As a new graph.
    Capture,
    /// By the graph.
    Replay,
}

/// The graph, and what it reads anew in each replay.
#[derive(Debug)]
pub(super) struct Captured {
    /// The numbers of the optimizer's kernels.
    pub(super) replayed: Replayed,
    /// The numbers of the batch's rows.
    pub(super) rows: Option<Tensor>,
    seen: HashMap<Kind, u32>,
    graph: Option<(Kind, Graph)>,
}

impl Captured {
    /// Nothing yet; for a network of so many parameters.
    pub(super) fn new(params: usize, device: &Device) -> Result<Self> {
        let replayed = Replayed::new(params, device)?;
        Ok(Self { replayed, rows: None, seen: HashMap::new(), graph: None })
    }

    /// How an update of this kind is made; takes the numbers of its rows to where a graph reads them.
    pub(super) fn way(&mut self, kind: Kind, numbers: &Tensor) -> Result<Way> {
        if let Some((captured, _)) = &self.graph {
            // Others, such as the last batch of an epoch, are made kernel by kernel.
            if *captured != kind {
                return Ok(Way::Eager);
            }
            if let Some(rows) = &self.rows {
                rows.slice_set(numbers, 0, 0)?;
            }
            return Ok(Way::Replay);
        }
        let seen = self.seen.entry(kind).or_default();
        *seen += 1;
        if *seen <= BEFORE {
            return Ok(Way::Warm);
        }
        self.rows = Some(numbers.copy()?);
        Ok(Way::Capture)
    }

    /// Takes a graph of updates of this kind, of which the first is still to be made.
    pub(super) fn keep(&mut self, kind: Kind, graph: Graph) {
        self.replayed.is_captured();
        self.graph = Some((kind, graph));
    }

    /// Makes the update whose numbers the optimizer has put down.
    pub(super) fn replay(&self) -> Result<()> {
        self.replayed.send()?;
        self.graph.as_ref().map_or(Ok(()), |(_, graph)| Ok(graph.replay()?))
    }
}
