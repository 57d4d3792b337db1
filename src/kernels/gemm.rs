//! Matrix products, by the `gemm` crate: candle's own, called on slices so that a product can add to what is there.
#![allow(unsafe_code, reason = "the `gemm` crate takes pointers")]

use std::ops::Range;

use candle_core::{Result, bail};

use super::Accumulate;
use super::storage::Float;
use super::team;

/// A matrix in a slice, read with strides.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A row-major matrix.
    pub(super) fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// The transpose, without moving anything.
    pub(super) fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }
}

/// The side of a product's output that is cut for the threads. If a weight's rows are cut the same way in its product,
/// its gradient and its update, each thread finds its part of the weight in its own cache.
#[derive(Clone, Copy)]
pub(super) enum Cut {
    Rows,
    Cols,
    /// Neither: the work around the product is cut already.
    Nothing,
}

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
    let job = Job { out: out.as_mut_ptr(), row_stride: b.cols, a, b, accumulate };
    // SAFETY: `length` has checked the matrices; `out` is borrowed mutably for the whole call, has as many elements, and holds
    // numbers.
    unsafe { job.run(cut, &|_, _| ()) };
    Ok(())
}

/// A new matrix `a b`, (a.rows, b.cols), whose memory is not cleared first: for a whole sequence that would be a pass over
/// megabytes.
///
/// # Errors
/// As [`matmul`].
pub(super) fn new_matmul<T: Float>(a: Matrix<'_, T>, b: Matrix<'_, T>, cut: Cut) -> Result<Vec<T>> {
    new_matmul_then(a, b, cut, |_, _| ())
}

/// As [`new_matmul`], and calls `then` on every chunk of a row of the result with its first column, while it is in the
/// cache.
pub(super) fn new_matmul_then<T: Float>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    cut: Cut,
    then: impl Fn(usize, &mut [T]) + Sync,
) -> Result<Vec<T>> {
    let length = length(a, b)?;
    let mut out = Vec::with_capacity(length);
    let job = Job { out: out.as_mut_ptr(), row_stride: b.cols, a, b, accumulate: Accumulate::REPLACE };
    // SAFETY: `length` has checked the matrices; `out` has room for as many elements and is no one else's. With a beta of 0
    // gemm writes every element of a block without reading it, zeros where the depth is 0, before `then` reads it; the blocks
    // cover the output.
    unsafe {
        job.run(cut, &then);
        out.set_len(length);
    }
    Ok(out)
}

/// The number of elements of `a b`.
///
/// # Errors
/// Shapes that do not fit each other or their slices.
fn length<T: Float>(a: Matrix<'_, T>, b: Matrix<'_, T>) -> Result<usize> {
    let has = |of: &Matrix<'_, T>| of.rows.checked_mul(of.cols) == Some(of.data.len());
    match a.rows.checked_mul(b.cols) {
        Some(length) if a.cols == b.rows && has(&a) && has(&b) => Ok(length),
        _ => {
            let (left, right) = (a.data.len(), b.data.len());
            bail!("product of [{}, {}] ({left}) and [{}, {}] ({right})", a.rows, a.cols, b.rows, b.cols)
        }
    }
}

/// The output in disjoint blocks: by the product's size alone, so that the bits do not depend on the threads. Each
/// block packs the operand that it shares with the others once more, so there are few of them.
fn blocks((m, n, k): (usize, usize, usize), cut: Cut) -> Vec<(Range<usize>, Range<usize>)> {
    /// Below this many multiplications a product is over before another thread has begun.
    const WORTH_A_THREAD: usize = 1 << 18;
    // A number that is read or written takes as long as some multiplications.
    let work = if matches!(cut, Cut::Nothing) { 0 } else { m * n * k + 8 * (m * k + k * n + m * n) };
    let chunks = match work / WORTH_A_THREAD {
        0 | 1 => 1,
        2..16 => 2,
        16..256 => 4,
        _ => 8,
    };
    let by_rows = match cut {
        Cut::Rows => m >= 16 * chunks || m >= n,
        Cut::Cols | Cut::Nothing => n < 16 * chunks && m > n,
    };
    let ranges = |side: usize| {
        // No fewer to a block than the product's innermost loop takes at once, but for the second thread.
        let chunks = chunks.min((side / 64).max(2));
        let length = side.div_ceil(chunks).next_multiple_of(8).max(1);
        (0..side).step_by(length).map(move |start| start..(start + length).min(side))
    };
    if by_rows {
        ranges(m).map(|rows| (rows, 0..n)).collect()
    } else {
        ranges(n).map(|cols| (0..m, cols)).collect()
    }
}

/// One product, and the pointer it writes to.
struct Job<'a, T> {
    out: *mut T,
    row_stride: usize,
    a: Matrix<'a, T>,
    b: Matrix<'a, T>,
    accumulate: Accumulate,
}

// SAFETY: the threads share a job to write disjoint blocks of `out`, and `a` and `b` are shared slices of plain numbers.
unsafe impl<T: Float> Sync for Job<'_, T> {}

impl<T: Float> Job<'_, T> {
    /// Computes the whole output, and calls `then` on every chunk of a row of it.
    ///
    /// # Safety
    /// `out` is valid for writes of the whole output for the duration, and no one else uses it; where `accumulate` reads it,
    /// it holds numbers.
    unsafe fn run(&self, cut: Cut, then: &(impl Fn(usize, &mut [T]) + Sync)) {
        team::for_each(blocks((self.a.rows, self.b.cols, self.a.cols), cut), |(rows, cols)| {
            // SAFETY: the blocks are disjoint parts of the output, and each is worked on once; `a` and `b` hold exactly
            // rows·cols elements, and their strides are those of a dense matrix or its transpose.
            unsafe { self.run_block(rows, cols, then) }
        });
    }

    /// Computes the block `rows` × `cols` of the output.
    ///
    /// # Safety
    /// As [`Self::run`], for this block of the output; the matrices' strides stay inside their slices.
    unsafe fn run_block(&self, rows: Range<usize>, cols: Range<usize>, then: &impl Fn(usize, &mut [T])) {
        if rows.is_empty() || cols.is_empty() {
            return;
        }
        let Self { a, b, accumulate, .. } = *self;
        // SAFETY: rows and cols are inside the matrices whose sizes `length` has checked against their slices, so every
        // address that gemm forms from these bases and strides is inside them.
        unsafe {
            gemm::gemm(
                rows.len(),
                cols.len(),
                a.cols,
                self.out.add(rows.start * self.row_stride + cols.start),
                1,
                self.row_stride.cast_signed(),
                accumulate.beta != 0.0,
                a.data.as_ptr().add(rows.start * a.row_stride),
                a.col_stride.cast_signed(),
                a.row_stride.cast_signed(),
                b.data.as_ptr().add(cols.start * b.col_stride),
                b.col_stride.cast_signed(),
                b.row_stride.cast_signed(),
                T::of(accumulate.beta),
                T::of(accumulate.alpha),
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
        for row in rows {
            let start = row * self.row_stride + cols.start;
            // SAFETY: a part of a row of this block, which no one else uses.
            then(cols.start, unsafe { std::slice::from_raw_parts_mut(self.out.add(start), cols.len()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::real;

    #[test]
    fn products_of_every_size_and_order_equal_the_definition() {
        let sizes =
            [(1, 1, 1), (1, 300, 257), (64, 3, 9), (129, 130, 131), (7, 512, 600), (700, 5, 400), (5, 4, 0)];
        for ((m, n, k), cut) in sizes.into_iter().flat_map(|size| [(size, Cut::Rows), (size, Cut::Cols)]) {
            let cycle =
                |count: usize, period: u8| (0..period).cycle().take(count).map(|i| f64::from(i) - 2.0);
            let a: Vec<f64> = cycle(m * k, 7).collect();
            let b: Vec<f64> = cycle(k * n, 5).collect();
            // b as its transpose, [n, k].
            let bt: Vec<f64> = (0..n * k).map(|i| b[(i % k) * n + i / k]).collect();
            let product: Vec<f64> =
                (0..m * n).map(|at| (0..k).map(|l| a[at / n * k + l] * b[l * n + at % n]).sum()).collect();
            let (a, b) = (Matrix::new(&a, m, k), Matrix::new(&bt, n, k).t());
            for accumulate in [Accumulate::REPLACE, Accumulate::ADD, Accumulate { alpha: -2.0, beta: 0.5 }] {
                let mut out = vec![1.0; m * n];
                matmul(&mut out, a, b, accumulate, cut).unwrap();
                let expected = product.iter().map(|x| accumulate.beta + accumulate.alpha * x);
                assert!(out.iter().copied().eq(expected), "{m} {n} {k}");
            }
            // Each element is its product, less the number of its column.
            let shift = |first: usize, row: &mut [f64]| {
                row.iter_mut().zip(first..).for_each(|(x, col)| *x -= real(col));
            };
            let expected = product.iter().enumerate().map(|(at, x)| x - real(at % n));
            assert!(new_matmul_then(a, b, cut, shift).unwrap().into_iter().eq(expected), "{m} {n} {k}");
        }
        let mut out = vec![0.0; 4];
        let a = [1.0; 4];
        assert!(
            matmul(&mut out, Matrix::new(&a, 2, 2), Matrix::new(&a, 1, 4), Accumulate::ADD, Cut::Rows)
                .is_err()
        );
    }
}
