//! Recurrent layers: the products are cuBLAS', a kernel does the rest of each step.

use candle_core::{Result, Tensor};

use super::activation::number;
use super::launch::{Arg, Threads, launch};
use super::{room, sum_rows};
use crate::kernels::recurrent::{Cell, Kind, Pass, order};
use crate::kernels::{GradOut, autograd};

/// The states (T, N, H), and what [`backward`] needs besides.
pub(in crate::kernels) fn forward(
    kind: Kind,
    xs: &Tensor,
    [w_ih, w_hh, b_ih, b_hh]: Cell<&Tensor>,
    reverse: bool,
) -> Result<(Tensor, Vec<Tensor>)> {
    let ((steps, n, features), (width, hidden)) = (xs.dims3()?, w_hh.dims2()?);
    let (device, dtype) = (xs.device(), Some(xs.dtype()));
    let zs = xs.reshape((steps * n, features))?.matmul(&w_ih.t()?)?.reshape((steps, n, width))?;
    let w_hh = w_hh.t()?;
    // Elman's states take the place of what the input gave.
    let hs = if width == hidden { zs.clone() } else { room((steps, n, hidden), xs)? };
    // The memories of an LSTM, or what the state gave to a GRU's n.
    let kept = if width == hidden { hs.clone() } else { room((steps, n, hidden), xs)? };
    let (rows, cols) = (Arg::Count(n), Arg::Count(hidden));
    for (t, previous) in order(steps, reverse) {
        let (z, h, own) = (zs.get(t)?, hs.get(t)?, kept.get(t)?);
        let before = previous.map(|previous| hs.get(previous)).transpose()?;
        let from = before.as_ref().map(|before| before.matmul(&w_hh)).transpose()?;
        let from = Arg::or_null(from.as_ref());
        let bias = [Arg::In(b_ih), Arg::In(b_hh)];
        let threads = Threads::Each(n * hidden);
        match kind {
            Kind::Elman(act) => {
                let args = [Arg::Out(&h), from, bias[0], bias[1], rows, cols, number(Some(act))];
                launch(device, ("elman_step", dtype), threads, &args)?;
            }
            Kind::Lstm => {
                let before = previous.map(|previous| kept.get(previous)).transpose()?;
                let memory = [Arg::or_null(before.as_ref()), Arg::Out(&own)];
                let args =
                    [Arg::Out(&z), from, bias[0], bias[1], memory[0], memory[1], Arg::Out(&h), rows, cols];
                launch(device, ("lstm_step", dtype), threads, &args)?;
            }
            Kind::Gru => {
                let state = Arg::or_null(before.as_ref());
                let args =
                    [Arg::Out(&z), from, bias[0], bias[1], state, Arg::Out(&own), Arg::Out(&h), rows, cols];
                launch(device, ("gru_step", dtype), threads, &args)?;
            }
        }
    }
    let saved = if width == hidden { Vec::new() } else { vec![zs, kept] };
    Ok((hs, saved))
}

/// As `recurrent::backward`.
pub(in crate::kernels) fn backward(
    pass: Pass<'_>,
    saved: &[Tensor],
    [w_ih, w_hh, _, _]: Cell<&Tensor>,
    grad: &Tensor,
    [into_w_ih, into_w_hh, into_b_ih, into_b_hh]: Cell<GradOut<'_>>,
    want_input: bool,
) -> Result<Option<Tensor>> {
    let ((steps, n, features), (width, _)) = (pass.xs.dims3()?, w_hh.dims2()?);
    let (input, state) = through_time(pass, saved, w_hh, grad)?;
    let rows = steps * n;
    let (flat, hs) = (input.reshape((rows, width))?, &pass.output.hs);
    let dx = want_input.then(|| flat.matmul(w_ih)?.reshape((steps, n, features))).transpose()?;
    autograd::store(into_w_ih, &flat.t()?.matmul(&pass.xs.reshape((rows, features))?)?)?;
    // Each step's gradient meets the state of the step before it.
    let (later, earlier) = if pass.reverse { (0, 1) } else { (1, 0) };
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
fn through_time(pass: Pass<'_>, saved: &[Tensor], w_hh: &Tensor, grad: &Tensor) -> Result<(Tensor, Tensor)> {
    let ((steps, n, _), (width, hidden)) = (pass.xs.dims3()?, w_hh.dims2()?);
    let (device, dtype) = (grad.device(), Some(grad.dtype()));
    let input = room((steps, n, width), grad)?;
    let state = if pass.kind == Kind::Gru { room((steps, n, width), grad)? } else { input.clone() };
    // The gradient of an LSTM's memory, or what of a GRU's state goes directly to the one before.
    let carried = Tensor::zeros((n, hidden), grad.dtype(), grad.device())?;
    let (rows, cols) = (Arg::Count(n), Arg::Count(hidden));
    let hs = &pass.output.hs;
    let mut next: Option<usize> = None;
    for (t, previous) in order(steps, pass.reverse).rev() {
        let from = next.map(|next| state.get(next)?.matmul(w_hh)).transpose()?;
        let (from, grad) = (Arg::or_null(from.as_ref()), grad.get(t)?);
        let (dz, ds, h) = (input.get(t)?, state.get(t)?, hs.get(t)?);
        let (dz, grad, threads) = (Arg::Out(&dz), Arg::In(&grad), Threads::Each(n * hidden));
        match (pass.kind, saved) {
            (Kind::Elman(act), _) => {
                let args = [dz, grad, from, Arg::In(&h), Arg::Count(n * hidden), number(Some(act))];
                launch(device, ("elman_back", dtype), threads, &args)?;
            }
            (Kind::Lstm, [gates, cs]) => {
                let (gates, c) = (gates.get(t)?, cs.get(t)?);
                let before = previous.map(|previous| cs.get(previous)).transpose()?;
                let memories = [Arg::or_null(before.as_ref()), Arg::In(&c)];
                let (gates, dc) = (Arg::In(&gates), Arg::Out(&carried));
                let args = [dz, dc, grad, from, gates, memories[0], memories[1], rows, cols];
                launch(device, ("lstm_back", dtype), threads, &args)?;
            }
            (Kind::Gru, [gates, kept]) => {
                let (gates, kept) = (gates.get(t)?, kept.get(t)?);
                let before = previous.map(|previous| hs.get(previous)).transpose()?;
                let (gates, kept, before) = (Arg::In(&gates), Arg::In(&kept), Arg::or_null(before.as_ref()));
                let args =
                    [dz, Arg::Out(&ds), Arg::Out(&carried), grad, from, gates, kept, before, rows, cols];
                launch(device, ("gru_back", dtype), threads, &args)?;
            }
            _ => candle_core::bail!("a recurrent layer's backward needs what its forward pass kept"),
        }
        next = Some(t);
    }
    Ok((input, state))
}
