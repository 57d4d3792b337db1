//! All steps of a recurrent layer in one launch: each block makes those of some rows of the batch, with their products.
//!
//! A step by cuBLAS and a kernel costs two launches, which take longer than the numbers of a small layer.

use candle_core::{Result, Tensor};

use super::super::activation::number;
use super::super::launch::{Arg, Kernel, Threads, launch};
use super::super::room;
use super::blocks::RowBlocks;
use super::{BackwardPass, Sequence};
use crate::kernels::recurrent::CellKind;

/// The arguments by which a kernel finds its rows and steps.
fn order(states: &Tensor, blocks: RowBlocks, reverse: bool) -> Result<[Arg<'static>; 5]> {
    let (steps, n, hidden) = states.dims3()?;
    let [steps, n, hidden, rows] = [steps, n, hidden, blocks.rows].map(Arg::Count);
    Ok([steps, n, hidden, rows, Arg::I32(reverse.into())])
}

impl Sequence {
    /// Runs all steps forward.
    pub(super) fn steps(
        &self,
        kind: CellKind,
        [w_hh, b_ih, b_hh]: [&Tensor; 3],
        reverse: bool,
        blocks: RowBlocks,
    ) -> Result<()> {
        let Self { zs, hs, kept } = self;
        let (_, n, width) = zs.dims3()?;
        let (w, from) = (w_hh.t()?.contiguous()?, room((n, width), hs)?);
        let order = order(hs, blocks, reverse)?;
        let weights = [Arg::Out(&from), Arg::In(&w), Arg::In(b_ih), Arg::In(b_hh)];
        let (name, args) = match kind {
            CellKind::Elman(act) => {
                ("elman_steps", [&[Arg::Out(hs)], &weights[..], &order, &[number(Some(act))]].concat())
            }
            CellKind::Lstm | CellKind::Gru => {
                let name = if kind == CellKind::Lstm { "lstm_steps" } else { "gru_steps" };
                let outs = [Arg::Out(kept), Arg::Out(hs)];
                (name, [&[Arg::Out(zs)], &weights[..], &outs, &order].concat())
            }
        };
        launch(hs.device(), Kernel::of(name, hs.dtype()), Threads::Blocks(blocks.count), &args)
    }
}

impl BackwardPass<'_> {
    /// Runs all steps back.
    pub(super) fn steps(&self, w_hh: &Tensor, blocks: RowBlocks) -> Result<()> {
        let Self { pass, grad, input, state, carried } = self;
        let hs = &pass.output.hs;
        let (_, n, hidden) = hs.dims3()?;
        let from = room((n, hidden), grad)?;
        let order = order(hs, blocks, pass.order.reverse)?;
        let grads = [Arg::Out(&from), Arg::In(w_hh), Arg::In(grad)];
        let (dz, ds, carried) = (Arg::Out(input), Arg::Out(state), Arg::Out(carried));
        let (name, args) = match (pass.kind, pass.output.saved.as_slice()) {
            (CellKind::Elman(act), _) => {
                let more = [Arg::In(hs)];
                ("elman_steps_back", [&[dz], &grads[..], &more, &order, &[number(Some(act))]].concat())
            }
            (CellKind::Lstm, [gates, cs]) => {
                let more = [Arg::In(gates), Arg::In(cs)];
                ("lstm_steps_back", [&[dz, carried], &grads[..], &more, &order].concat())
            }
            (CellKind::Gru, [gates, kept]) => {
                let more = [Arg::In(gates), Arg::In(kept), Arg::In(hs)];
                ("gru_steps_back", [&[dz, ds, carried], &grads[..], &more, &order].concat())
            }
            _ => candle_core::bail!("a recurrent layer's backward needs what its forward pass kept"),
        };
        launch(hs.device(), Kernel::of(name, hs.dtype()), Threads::Blocks(blocks.count), &args)
    }
}
