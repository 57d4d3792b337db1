//! A recurrent layer's pass over a sequence: what the kernels of every device take and give.

use candle_core::Tensor;

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
#[derive(Debug, Clone)]
pub struct RecurrentOutput {
    /// The states, (T, N, H).
    pub hs: Tensor,
    /// Further tensors for the backward pass; empty after the reference implementation.
    pub(in crate::kernels) saved: Vec<Tensor>,
}

/// A forward pass that a backward pass goes back through.
#[derive(Debug, Clone, Copy)]
pub struct ForwardPass<'a> {
    /// The cell.
    pub kind: CellKind,
    /// The input, (T, N, F).
    pub xs: &'a Tensor,
    /// The output of its forward pass.
    pub output: &'a RecurrentOutput,
    /// Whether it ran from the last step to the first.
    pub reverse: bool,
}

/// The order in which the steps run: pairs of a step and the one before it.
pub(in crate::kernels) fn order(
    steps: usize,
    reverse: bool,
) -> impl DoubleEndedIterator<Item = (usize, Option<usize>)> {
    (0..steps).map(move |i| {
        let at = |i: usize| if reverse { steps - 1 - i } else { i };
        (at(i), i.checked_sub(1).map(at))
    })
}
