//! Long short-term memory: Hochreiter and Schmidhuber 1997, with the gates i, f, g, o in torch's order:
//! `c_t = f c_{t-1} + i g`, `h_t = o tanh(c_t)`.

use candle_core::{Result, Tensor};

use super::super::Accumulate;
use super::super::columns::{add_rows, total};
use super::super::gemm::{Matrix, Panels, matmul_packed};
use super::super::storage::{Float, edit, tensor, view};
use super::super::vectorized::vectorized;
use super::pass::{CellParams, RecurrentOutput, StepOrder};
use super::rows::{RowBlock, Steps, filled_beside, two};
use super::sizes::{ArgumentGrad, GateGrads, PassSizes, input_products};

/// The reference implementation of a step, from its argument (N, 4 H) and the memory (N, H): state and memory.
pub(super) fn reference_step(z: &Tensor, c: &Tensor) -> Result<(Tensor, Tensor)> {
    let hidden = c.dim(1)?;
    let gate = |k: usize| z.narrow(1, k * hidden, hidden);
    let sigmoid = |k: usize| candle_nn::ops::sigmoid(&gate(k)?.contiguous()?);
    let c = ((sigmoid(1)? * c)? + (sigmoid(0)? * gate(2)?.tanh()?)?)?;
    Ok(((sigmoid(3)? * c.tanh()?)?, c))
}

/// Keeps the gates (T, N, 4 H) and the memories (T, N, H).
pub(super) fn forward<T: Float>(
    xs: &Tensor,
    [w_ih, w_hh, b_ih, b_hh]: CellParams<&Tensor>,
    order: StepOrder<'_>,
) -> Result<RecurrentOutput> {
    let ((steps, n, _), (width, hidden)) = (xs.dims3()?, w_hh.dims2()?);
    let (b_ih, b_hh) = (view::<T>(b_ih)?, view::<T>(b_hh)?);
    let bias: Vec<T> = b_ih.iter().zip(b_hh.iter()).map(|(&a, &b)| a + b).collect();
    let mut gates = input_products::<T>(xs, w_ih)?;
    let w_hh = Panels::new(Matrix::new(&view::<T>(w_hh)?, width, hidden).t());
    let block = |rows: RowBlock, mut gates: Steps<'_, T>, [mut cs, mut hs]: [Steps<'_, T>; 2]| {
        let start = vec![T::of(0.0); rows.count * hidden];
        for (t, previous) in order.of(steps) {
            order.check()?;
            let z = &mut *gates[t];
            if let Some(previous) = previous {
                let h = Matrix::new(hs[previous], rows.count, hidden);
                matmul_packed(z, h, &w_hh, Accumulate::ADD, rows.cut())?;
            }
            let (c, before) = match previous {
                Some(previous) => two(&mut cs, t, previous),
                None => (&mut *cs[t], &start[..]),
            };
            step(&bias, z, before, c, hs[t]);
        }
        Ok(())
    };
    let [cs, hs] = filled_beside(&mut gates, [steps, n], [hidden; 2], block)?.buffers;
    let saved = vec![tensor(gates, (steps, n, width))?, tensor(cs, (steps, n, hidden))?];
    Ok(RecurrentOutput { hs: tensor(hs, (steps, n, hidden))?, saved })
}

vectorized! {
    /// Turns the products for a step's gates into the gates, and gives memory and state.
    fn step[T: Float](bias: &[T], z: &mut [T], before: &[T], c: &mut [T], h: &mut [T]) {
        let hidden = bias.len() / 4;
        let rows = z.chunks_exact_mut(4 * hidden).zip(before.chunks_exact(hidden));
        for (((z, before), c), h) in rows.zip(c.chunks_exact_mut(hidden)).zip(h.chunks_exact_mut(hidden)) {
            // A loop for each: one over all of them has too many slices to become vector code.
            for gate in 0..4 {
                let at = gate * hidden..(gate + 1) * hidden;
                let gates = z[at.clone()].iter_mut().zip(&bias[at]);
                if gate == 2 {
                    for (x, &b) in gates {
                        *x = (*x + b).hyperbolic_tangent();
                    }
                } else {
                    for (x, &b) in gates {
                        *x = (*x + b).sigmoid();
                    }
                }
            }
            let [i, f, g, o] = [0, 1, 2, 3].map(|gate| &z[gate * hidden..][..hidden]);
            // Of known length: a check of each index would leave the loop scalar.
            let (before, c, h) = (&before[..hidden], &mut c[..hidden], &mut h[..hidden]);
            for k in 0..hidden {
                c[k] = f[k] * before[k] + i[k] * g[k];
            }
            for k in 0..hidden {
                h[k] = o[k] * c[k].hyperbolic_tangent();
            }
        }
    }
}

/// The gradients of the steps' arguments: `dh_t = grad_t + dz_{t+1} W_hh`, `dc_t = dh_t o (1 - tanh² c_t) + f_{t+1}
/// dc_{t+1}`, and of each gate by its slope. They take the place of the gates.
pub(super) fn through_time<T: Float>(
    grad: &[T],
    saved: Vec<Tensor>,
    w_hh: &[T],
    sizes: PassSizes<'_>,
) -> Result<GateGrads> {
    let Ok([gates, cs]) = <[Tensor; 2]>::try_from(saved) else {
        candle_core::bail!("an LSTM's backward needs its gates and memories")
    };
    let cs = view::<T>(&cs)?;
    let PassSizes { steps, n, hidden, order } = sizes;
    let width = 4 * hidden;
    let w_hh = Panels::new(Matrix::new(w_hh, width, hidden));
    let block = |rows: RowBlock, mut gates: Steps<'_, T>, []: [Steps<'_, T>; 0]| {
        let zero = vec![T::of(0.0); rows.count * hidden];
        let (mut dc, mut dh) = (zero.clone(), zero.clone());
        let mut sums = vec![0.0; width];
        let mut next: Option<usize> = None;
        for (t, previous) in order.of(steps).rev() {
            order.check()?;
            dh.copy_from_slice(rows.of(grad, t, hidden));
            if let Some(next) = next {
                let dz = Matrix::new(gates[next], rows.count, width);
                matmul_packed(&mut dh, dz, &w_hh, Accumulate::ADD, rows.cut())?;
            }
            let before = previous.map_or(&zero[..], |previous| rows.of(&cs, previous, hidden));
            step_back([before, rows.of(&cs, t, hidden)], &dh, &mut dc, gates[t], hidden);
            add_rows(&mut sums, gates[t]);
            next = Some(t);
        }
        Ok(sums)
    };
    let filled = edit(&gates, |gates| filled_beside(gates, [steps, n], [], block))??;
    Ok(GateGrads { input: ArgumentGrad { grad: gates, sums: total(filled.results, width) }, state: None })
}

/// The parts of a row (4 H) that belong to the gates, each (H).
#[inline(always)]
fn of_gates<T>(row: &mut [T], hidden: usize) -> [&mut [T]; 4] {
    let (i, rest) = row.split_at_mut(hidden);
    let (f, rest) = rest.split_at_mut(hidden);
    let (g, o) = rest.split_at_mut(hidden);
    [i, &mut f[..hidden], &mut g[..hidden], &mut o[..hidden]]
}

vectorized! {
    /// Turns a step's gates into the gradients of its arguments, and its memory's gradient into that of the memory before it.
    fn step_back[T: Float](memories: [&[T]; 2], dh: &[T], dc: &mut [T], gates: &mut [T], hidden: usize) {
        let [before, c] = memories;
        let one = T::of(1.0);
        for (row, gates) in gates.chunks_exact_mut(4 * hidden).enumerate() {
            let at = row * hidden..(row + 1) * hidden;
            let (before, c, dh, dc) = (&before[at.clone()], &c[at.clone()], &dh[at.clone()], &mut dc[at]);
            let [i, f, g, o] = of_gates(gates, hidden);
            // A loop for each few: one over all of them has too many slices to become vector code.
            for k in 0..hidden {
                let (gate, tanh) = (o[k], c[k].hyperbolic_tangent());
                dc[k] += dh[k] * gate * (one - tanh * tanh);
                o[k] = dh[k] * tanh * gate * (one - gate);
            }
            for k in 0..hidden {
                let (gate, new) = (i[k], g[k]);
                i[k] = dc[k] * new * gate * (one - gate);
                g[k] = dc[k] * gate * (one - new * new);
            }
            for k in 0..hidden {
                let gate = f[k];
                f[k] = dc[k] * before[k] * gate * (one - gate);
                dc[k] *= gate;
            }
        }
    }
}
