//! Matrix products, by the `gemm` crate: candle's own, called on slices so that a product can add to what is there.
#![allow(unsafe_code, reason = "the `gemm` crate takes pointers")]

use candle_core::{Result, bail};

use super::storage::Float;

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

/// `out = a b`, or `out += a b`; `out` is row-major, `a.rows` by `b.cols`.
///
/// # Errors
/// Shapes that do not fit each other or their slices.
pub(super) fn matmul<T: Float>(
    out: &mut [T],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    accumulate: bool,
) -> Result<()> {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    if b.rows != k || out.len() != m * n || a.data.len() != m * k || b.data.len() != k * n {
        bail!("product of [{m}, {k}] and [{}, {n}] into {} elements", b.rows, out.len());
    }
    if out.is_empty() {
        return Ok(());
    }
    if k == 0 {
        if !accumulate {
            out.fill(T::of(0.0));
        }
        return Ok(());
    }
    let job = Job { out: out.as_mut_ptr(), row_stride: n, a, b, accumulate };
    // SAFETY: `out` is borrowed mutably for the whole call and holds m·n elements in row-major order; `a` and `b` hold
    // exactly rows·cols elements, and their strides are those of a dense matrix or its transpose.
    unsafe { job.run(0..m, 0..n, pieces(m, n, k)) };
    Ok(())
}

/// In how many pieces a product is cut: by its size alone, so that the bits do not depend on the threads.
fn pieces(m: usize, n: usize, k: usize) -> usize {
    const SMALLEST: usize = 1 << 20;
    (m * n * k / SMALLEST).clamp(1, 8).next_power_of_two().min(m.max(n))
}

/// One product, and the pointer it writes to. Its pieces write disjoint blocks.
#[derive(Clone, Copy)]
struct Job<'a, T> {
    out: *mut T,
    row_stride: usize,
    a: Matrix<'a, T>,
    b: Matrix<'a, T>,
    accumulate: bool,
}

// SAFETY: every piece of a job writes another block of `out` (`run` splits rows or columns into disjoint ranges), and
// `a` and `b` are shared slices of plain numbers.
unsafe impl<T: Float> Send for Job<'_, T> {}

impl<T: Float> Job<'_, T> {
    /// Computes the block `rows` × `cols` of the output, halving the longer side into `pieces`.
    ///
    /// # Safety
    /// `out` is valid for writes of the whole output for the duration, and no one else uses this block of it.
    unsafe fn run(self, rows: std::ops::Range<usize>, cols: std::ops::Range<usize>, pieces: usize) {
        if pieces > 1 {
            let ((rows_a, cols_a), (rows_b, cols_b)) = if rows.len() >= cols.len() {
                let mid = rows.start + rows.len() / 2;
                ((rows.start..mid, cols.clone()), (mid..rows.end, cols))
            } else {
                // Whole cache lines to each side.
                let mid = cols.start + (cols.len() / 2).next_multiple_of(16).min(cols.len());
                ((rows.clone(), cols.start..mid), (rows, mid..cols.end))
            };
            rayon::join(
                // SAFETY: the two blocks are disjoint parts of this one.
                move || unsafe { self.run(rows_a, cols_a, pieces / 2) },
                // SAFETY: as above.
                move || unsafe { self.run(rows_b, cols_b, pieces / 2) },
            );
            return;
        }
        if rows.is_empty() || cols.is_empty() {
            return;
        }
        let Self { a, b, .. } = self;
        // SAFETY: rows and cols lie inside the matrices whose sizes `matmul` has checked against their slices, so every
        // address that gemm forms from these bases and strides is inside them.
        unsafe {
            gemm::gemm(
                rows.len(),
                cols.len(),
                a.cols,
                self.out.add(rows.start * self.row_stride + cols.start),
                1,
                self.row_stride.cast_signed(),
                self.accumulate,
                a.data.as_ptr().add(rows.start * a.row_stride),
                a.col_stride.cast_signed(),
                a.row_stride.cast_signed(),
                b.data.as_ptr().add(cols.start * b.col_stride),
                b.col_stride.cast_signed(),
                b.row_stride.cast_signed(),
                T::of(1.0),
                T::of(1.0),
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_every_size_and_order_equal_the_definition() {
        for (m, n, k) in [(1, 1, 1), (1, 300, 257), (64, 3, 9), (129, 130, 131), (7, 512, 600), (5, 4, 0)] {
            let cycle =
                |count: usize, period: u8| (0..period).cycle().take(count).map(|i| f64::from(i) - 2.0);
            let a: Vec<f64> = cycle(m * k, 7).collect();
            let b: Vec<f64> = cycle(k * n, 5).collect();
            // b as its transpose, [n, k].
            let bt: Vec<f64> = (0..n * k).map(|i| b[(i % k) * n + i / k]).collect();
            let mut expected = vec![1.0; m * n];
            for i in 0..m {
                for j in 0..n {
                    expected[i * n + j] += (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum::<f64>();
                }
            }
            let mut out = vec![1.0; m * n];
            matmul(&mut out, Matrix::new(&a, m, k), Matrix::new(&bt, n, k).t(), true).unwrap();
            assert_eq!(out, expected, "{m} {n} {k}");
        }
        let mut out = vec![0.0; 4];
        let a = [1.0; 4];
        assert!(matmul(&mut out, Matrix::new(&a, 2, 2), Matrix::new(&a, 1, 4), false).is_err());
    }
}
