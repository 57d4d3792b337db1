//! Matrix products, by the `gemm` crate: candle's own, called on slices so that a product can add to what is there.
#![allow(unsafe_code, reason = "the `gemm` crate takes pointers")]

mod blocks;
mod few_rows;
mod job;
mod matrix;
mod panels;
#[cfg(test)]
mod tests;
mod transpose;

use candle_core::{Result, bail};

use super::Accumulate;
use super::storage::Float;
use super::team;
pub(super) use blocks::Cut;
use blocks::Sizes;
use job::{Job, length};
pub(super) use job::{new_matmul, new_matmul_then};
pub(super) use matrix::Matrix;
pub(super) use panels::Panels;

/// A row of an output with fewer columns than this is short for the vectors of the product's innermost loop.
const NARROW: usize = 32;

/// `out ← beta · out + alpha · a b`; `out` is row-major, `a.rows` by `b.cols`.
///
/// # Errors
/// Shapes that do not fit each other or their slices.
pub(super) fn matmul<T: Float>(
    out: &mut [T],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    accumulate: Accumulate,
    cut: Cut,
) -> Result<()> {
    if out.len() != length(a, b)? {
        bail!("product of [{}, {}] and [{}, {}] into {} elements", a.rows, a.cols, b.rows, b.cols, out.len());
    }
    if a.row_stride == 1 && b.cols < NARROW && a.rows >= 2 * b.cols {
        return by_transpose(out, a, b, accumulate);
    }
    let job = Job { out: out.as_mut_ptr(), row_stride: b.cols, a, b, accumulate };
    // SAFETY: `length` has checked the matrices; `out` is borrowed mutably for the whole call, has as many elements, and holds
    // numbers.
    unsafe { job.run(cut, &|_, _| ()) };
    Ok(())
}

/// As [`matmul`], by `(a b)ᵀ = bᵀ aᵀ`: where the rows of `out` are short, as those of a weight's gradient are where a layer has
/// few inputs, the columns are not.
fn by_transpose<T: Float>(
    out: &mut [T],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    Accumulate { alpha, beta }: Accumulate,
) -> Result<()> {
    let (alpha, beta) = (T::of(alpha), T::of(beta));
    let product = new_matmul(b.t(), a.t(), Cut::Cols)?;
    for (i, row) in out.chunks_exact_mut(b.cols.max(1)).enumerate() {
        for (out, &x) in row.iter_mut().zip(product[i..].iter().step_by(a.rows)) {
            // What is there may be no number where it is to be replaced.
            *out = if beta == T::of(0.0) { alpha * x } else { beta * *out + alpha * x };
        }
    }
    Ok(())
}

/// As [`matmul`] of a row-major `a`, with a right factor that is packed already. The threads share the panels, unless `cut` is
/// [`Cut::Nothing`].
///
/// # Errors
/// As [`matmul`].
pub(super) fn matmul_packed<T: Float>(
    out: &mut [T],
    a: Matrix<'_, T>,
    b: &Panels<T>,
    accumulate: Accumulate,
    cut: Cut,
) -> Result<()> {
    let (k, n) = b.dims();
    if a.cols != k || a.rows.checked_mul(k) != Some(a.data.len()) || a.rows.checked_mul(n) != Some(out.len())
    {
        bail!("product of [{}, {}] and panels [{k}, {n}] into {} elements", a.rows, a.cols, out.len());
    }
    if out.is_empty() {
        return Ok(());
    }
    let out = out.as_mut_ptr();
    let jobs: Vec<Job<'_, T>> = b
        .iter()
        // SAFETY: a panel's first column is one of the output's first row.
        .map(|(first, b)| Job { out: unsafe { out.add(first) }, row_stride: n, a, b, accumulate })
        .collect();
    let parts = blocks::parts(Sizes { m: a.rows, n, k }, cut);
    team::for_each(jobs.chunks(jobs.len().div_ceil(parts).max(1)).collect(), |jobs: &[Job<'_, T>]| {
        for job in jobs {
            // SAFETY: the sizes are checked; each job writes the columns of its own panel, in `out`, which is borrowed mutably
            // for the whole call and holds numbers.
            unsafe { job.run_block(0..a.rows, 0..job.b.cols, None, &|_, _| ()) };
        }
    });
    Ok(())
}
