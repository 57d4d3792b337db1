//! A recurrent layer's pass over a sequence: what the kernels of every device take and give.

use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{Error, Result, Tensor};

use crate::kernels::Activation;

/// The kind of a recurrent cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Elman's state, with this activation: <https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html>
    Elman(Activation),
    /// Long short-term memory: <https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html>
    Lstm,
    /// Gated recurrent unit: <https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html>
    Gru,
}

impl CellKind {
    /// The number of blocks of H rows that the weights have: the gates in torch's order.
    pub fn gates(self) -> usize {
        match self {
            Self::Elman(_) => 1,
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }
}

/// The four parameters of one direction of one layer, or their gradients' outputs, where the layer has G gates:
/// `weight_ih` (G H, F), `weight_hh` (G H, H), `bias_ih` (G H), `bias_hh` (G H).
pub type CellParams<P> = [P; 4];

/// The output of a forward pass.
#[derive(Debug)]
pub struct RecurrentOutput {
    /// The states, (T, N, H).
    pub hs: Tensor,
    /// Further tensors for the backward pass, which may write over them; empty after the reference implementation.
    pub(in crate::kernels) saved: Vec<Tensor>,
}

/// A forward pass that a backward pass goes back through, once.
#[derive(Debug)]
pub struct ForwardPass<'a> {
    /// The cell.
    pub kind: CellKind,
    /// The input, (T, N, F).
    pub xs: &'a Tensor,
    /// The output of its forward pass.
    pub output: RecurrentOutput,
    /// The order in which its steps ran.
    pub order: StepOrder<'a>,
}

/// The order in which the steps of a pass run, and what ends it early.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepOrder<'a> {
    /// Whether they run from the last to the first.
    pub reverse: bool,
    /// Once this is set, a pass on the CPU ends before its next step, with an error.
    pub stop: Option<&'a AtomicBool>,
}

impl From<bool> for StepOrder<'_> {
    fn from(reverse: bool) -> Self {
        Self { reverse, stop: None }
    }
}

impl StepOrder<'_> {
    /// Pairs of a step and the one before it, in order.
    pub(in crate::kernels) fn of(
        self,
        steps: usize,
    ) -> impl DoubleEndedIterator<Item = (usize, Option<usize>)> {
        (0..steps).map(move |i| {
            let at = |i: usize| if self.reverse { steps - 1 - i } else { i };
            (at(i), i.checked_sub(1).map(at))
        })
    }

    /// An error once the pass is to end.
    pub(super) fn check(self) -> Result<()> {
        match self.stop {
            Some(stop) if stop.load(Ordering::Relaxed) => Err(Error::wrap("the pass was stopped")),
            _ => Ok(()),
        }
    }
}
