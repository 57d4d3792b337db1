//! Recurrent layers: the products are cuBLAS', a kernel does the rest of each step. Where the state's weight is small, one
//! kernel does all steps, with their products ([`steps`]).

mod blocks;
mod steps;

use candle_core::{Result, Tensor};

use self::blocks::RowBlocks;
use super::activation::number;
use super::columns::sum_rows;
use super::launch::{Arg, Kernel, Threads, launch};
use super::room;
use crate::kernels::recurrent::{CellKind, CellParams, ForwardPass, RecurrentOutput, StepOrder};
use crate::kernels::{GradOut, autograd};

/// As `recurrent::forward`.
pub(in crate::kernels) fn forward(
    kind: CellKind,
    xs: &Tensor,
    [w_ih, w_hh, b_ih, b_hh]: CellParams<&Tensor>,
    order: StepOrder<'_>,
) -> Result<RecurrentOutput> {
    let ((steps, n, features), (width, hidden)) = (xs.dims3()?, w_hh.dims2()?);
    let zs = xs.reshape((steps * n, features))?.matmul(&w_ih.t()?)?.reshape((steps, n, width))?;
    // Elman's states take the place of what the input gave.
    let hs = if width == hidden { zs.clone() } else { room((steps, n, hidden), xs)? };
    let kept = if width == hidden { hs.clone() } else { room((steps, n, hidden), xs)? };
    let sequence = Sequence { zs, hs, kept };
    if let Some(blocks) = RowBlocks::of(n, w_hh)? {
        sequence.steps(kind, [w_hh, b_ih, b_hh], order.reverse, blocks)?;
    } else {
        let w_hh = w_hh.t()?;
        for (t, previous) in order.of(steps) {
            let from = previous.map(|previous| sequence.hs.get(previous)?.matmul(&w_hh)).transpose()?;
            sequence.step(kind, t, previous, &[Arg::or_null(from.as_ref()), Arg::In(b_ih), Arg::In(b_hh)])?;
        }
    }
    let Sequence { zs, hs, kept } = sequence;
    let saved = if width == hidden { Vec::new() } else { vec![zs, kept] };
    Ok(RecurrentOutput { hs, saved })
}

/// A forward pass on its way.
struct Sequence {
    /// The input's products for the gates, (T, N, G H), replaced by the gates.
    zs: Tensor,
    /// The states, (T, N, H).
    hs: Tensor,
    /// The memories of an LSTM, or what the state gave to a GRU's n, (T, N, H).
    kept: Tensor,
}

impl Sequence {
    /// Launches a step; `sums` are what the state before it gave, and the biases.
    fn step(&self, kind: CellKind, t: usize, previous: Option<usize>, sums: &[Arg<'_>; 3]) -> Result<()> {
        let (z, h, own) = (self.zs.get(t)?, self.hs.get(t)?, self.kept.get(t)?);
        let (n, hidden) = h.dims2()?;
        let (device, dtype, threads) = (h.device(), h.dtype(), Threads::Each(n * hidden));
        let (rows, cols) = (Arg::Count(n), Arg::Count(hidden));
        let [from, b_ih, b_hh] = *sums;
        match kind {
            CellKind::Elman(act) => {
                let args = [Arg::Out(&h), from, b_ih, b_hh, rows, cols, number(Some(act))];
                launch(device, Kernel::of("elman_step", dtype), threads, &args)
            }
            CellKind::Lstm => {
                let before = previous.map(|previous| self.kept.get(previous)).transpose()?;
                let (before, memory) = (Arg::or_null(before.as_ref()), Arg::Out(&own));
                let args = [Arg::Out(&z), from, b_ih, b_hh, before, memory, Arg::Out(&h), rows, cols];
                launch(device, Kernel::of("lstm_step", dtype), threads, &args)
            }
            CellKind::Gru => {
                let before = previous.map(|previous| self.hs.get(previous)).transpose()?;
                let (before, to_new) = (Arg::or_null(before.as_ref()), Arg::Out(&own));
                let args = [Arg::Out(&z), from, b_ih, b_hh, before, to_new, Arg::Out(&h), rows, cols];
                launch(device, Kernel::of("gru_step", dtype), threads, &args)
            }
        }
    }
}

/// As `recurrent::backward`.
pub(in crate::kernels) fn backward(
    pass: &ForwardPass<'_>,
    [w_ih, w_hh, _, _]: CellParams<&Tensor>,
    grad: &Tensor,
    [into_w_ih, into_w_hh, into_b_ih, into_b_hh]: CellParams<GradOut<'_>>,
    want_input: bool,
) -> Result<Option<Tensor>> {
    let ((steps, n, features), (width, _)) = (pass.xs.dims3()?, w_hh.dims2()?);
    let (input, state) = through_time(pass, w_hh, grad)?;
    let rows = steps * n;
    let (flat, hs) = (input.reshape((rows, width))?, &pass.output.hs);
    let dx = want_input.then(|| flat.matmul(w_ih)?.reshape((steps, n, features))).transpose()?;
    autograd::store(into_w_ih, &flat.t()?.matmul(&pass.xs.reshape((rows, features))?)?)?;
    // Each step's gradient meets the state of the step before it.
    let (later, earlier) = if pass.order.reverse { (0, 1) } else { (1, 0) };
    if steps > 1 {
        let later = state.narrow(0, later, steps - 1)?.flatten(0, 1)?;
        let earlier = hs.narrow(0, earlier, steps - 1)?.flatten(0, 1)?;
        autograd::store(into_w_hh, &later.t()?.matmul(&earlier)?)?;
    } else {
        autograd::store(into_w_hh, &w_hh.zeros_like()?)?;
    }
    sum_rows(&input, into_b_ih)?;
    sum_rows(&state, into_b_hh)?;
    Ok(dx)
}

/// The gradients of the steps' arguments, (T, N, G H) each: of what the input gave, and of what the state gave.
fn through_time(pass: &ForwardPass<'_>, w_hh: &Tensor, grad: &Tensor) -> Result<(Tensor, Tensor)> {
    let ((steps, n, _), (width, hidden)) = (pass.xs.dims3()?, w_hh.dims2()?);
    let input = room((steps, n, width), grad)?;
    let state = if pass.kind == CellKind::Gru { room((steps, n, width), grad)? } else { input.clone() };
    let carried = Tensor::zeros((n, hidden), grad.dtype(), grad.device())?;
    let back = BackwardPass { pass, grad, input, state, carried };
    if let Some(blocks) = RowBlocks::of(n, w_hh)? {
        back.steps(w_hh, blocks)?;
        return Ok((back.input, back.state));
    }
    let mut next: Option<usize> = None;
    for (t, previous) in pass.order.of(steps).rev() {
        let from = next.map(|next| back.state.get(next)?.matmul(w_hh)).transpose()?;
        back.step(t, previous, Arg::or_null(from.as_ref()))?;
        next = Some(t);
    }
    Ok((back.input, back.state))
}

/// A pass back through the steps on its way.
struct BackwardPass<'a> {
    pass: &'a ForwardPass<'a>,
    /// The gradient of the states, (T, N, H).
    grad: &'a Tensor,
    /// The gradient of what the input gave to the gates, (T, N, G H).
    input: Tensor,
    /// The gradient of what the state gave to them: the same but in a GRU.
    state: Tensor,
    /// The gradient of an LSTM's memory, or what of a GRU's state goes directly to the one before, (N, H).
    carried: Tensor,
}

impl BackwardPass<'_> {
    /// Launches a backward step; `from` is the gradient that the step after it has for the state.
    fn step(&self, t: usize, previous: Option<usize>, from: Arg<'_>) -> Result<()> {
        let hs = &self.pass.output.hs;
        let (dz, ds, h, grad) = (self.input.get(t)?, self.state.get(t)?, hs.get(t)?, self.grad.get(t)?);
        let (n, hidden) = h.dims2()?;
        let (device, dtype, threads) = (h.device(), h.dtype(), Threads::Each(n * hidden));
        let (rows, cols) = (Arg::Count(n), Arg::Count(hidden));
        let (dz, grad, carried) = (Arg::Out(&dz), Arg::In(&grad), Arg::Out(&self.carried));
        match (self.pass.kind, self.pass.output.saved.as_slice()) {
            (CellKind::Elman(act), _) => {
                let args = [dz, grad, from, Arg::In(&h), Arg::Count(n * hidden), number(Some(act))];
                launch(device, Kernel::of("elman_back", dtype), threads, &args)
            }
            (CellKind::Lstm, [gates, cs]) => {
                let (gates, c) = (gates.get(t)?, cs.get(t)?);
                let before = previous.map(|previous| cs.get(previous)).transpose()?;
                let (gates, before, c) = (Arg::In(&gates), Arg::or_null(before.as_ref()), Arg::In(&c));
                let args = [dz, carried, grad, from, gates, before, c, rows, cols];
                launch(device, Kernel::of("lstm_back", dtype), threads, &args)
            }
            (CellKind::Gru, [gates, kept]) => {
                let (gates, kept) = (gates.get(t)?, kept.get(t)?);
                let before = previous.map(|previous| hs.get(previous)).transpose()?;
                let (gates, kept, before) = (Arg::In(&gates), Arg::In(&kept), Arg::or_null(before.as_ref()));
                let args = [dz, Arg::Out(&ds), carried, grad, from, gates, kept, before, rows, cols];
                launch(device, Kernel::of("gru_back", dtype), threads, &args)
            }
            _ => candle_core::bail!("a recurrent layer's backward needs what its forward pass kept"),
        }
    }
}
