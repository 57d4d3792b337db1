//! One product, computed block by block into memory that may not be written yet.
#![allow(unsafe_code, reason = "the `gemm` crate takes pointers")]

use std::ops::Range;

use candle_core::{Result, bail};

use super::blocks::{self, Cut, STRIP, Sizes, Strips, blocks};
use super::few_rows::FewRows;
use super::matrix::Matrix;
use super::panels;
use super::transpose::transpose;
use crate::kernels::Accumulate;
use crate::kernels::storage::Float;
use crate::kernels::team;

/// A new matrix `a b`, (a.rows, b.cols), whose memory is not cleared first: for a whole sequence that would be a pass over
/// megabytes.
///
/// # Errors
/// As [`matmul`].
pub(in crate::kernels) fn new_matmul<T: Float>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    cut: Cut,
) -> Result<Vec<T>> {
    new_matmul_then(a, b, cut, |_, _| ())
}

/// As [`new_matmul`], and calls `then` on every chunk of a row of the result with its first column, while it is in the
/// cache.
pub(in crate::kernels) fn new_matmul_then<T: Float>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    cut: Cut,
    then: impl Fn(usize, &mut [T]) + Sync,
) -> Result<Vec<T>> {
    let length = length(a, b)?;
    let mut out = Vec::with_capacity(length);
    let job = Job { out: out.as_mut_ptr(), row_stride: b.cols, a, b, accumulate: Accumulate::REPLACE };
    // SAFETY: `length` has checked the matrices; `out` has room for as many elements and is no one else's. With a beta of 0
    // gemm, or the copy of a transpose, writes every element of a block without reading it, zeros where the depth is 0, before
    // `then` reads it; the blocks cover the output.
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
pub(super) fn length<T: Float>(a: Matrix<'_, T>, b: Matrix<'_, T>) -> Result<usize> {
    let has = |of: &Matrix<'_, T>| of.rows.checked_mul(of.cols) == Some(of.data.len());
    match a.rows.checked_mul(b.cols) {
        Some(length) if a.cols == b.rows && has(&a) && has(&b) => Ok(length),
        _ => {
            let (left, right) = (a.data.len(), b.data.len());
            bail!("product of [{}, {}] ({left}) and [{}, {}] ({right})", a.rows, a.cols, b.rows, b.cols)
        }
    }
}

/// A part of a product's output.
struct OutputBlock<T> {
    /// Its first element.
    first: *mut T,
    /// The elements from one of its rows to the next.
    row_stride: usize,
    rows: Range<usize>,
    cols: Range<usize>,
}

impl<T: Float> OutputBlock<T> {
    /// Computes a block that has all rows of its product.
    ///
    /// # Safety
    /// The block has all rows, is valid for writes and no one else's.
    unsafe fn fill(&self, few_rows: &FewRows<'_, T>) -> Result<()> {
        let (left, width) = (few_rows.left(&self.cols), self.cols.len());
        for (first, right) in few_rows.right() {
            let product = new_matmul(left, right, Cut::Nothing)?;
            let mut rows = vec![T::of(0.0); product.len()];
            transpose(&product, right.cols, &mut rows, width);
            for (row, from) in rows.chunks_exact(width).enumerate() {
                // SAFETY: a row of the block.
                unsafe {
                    let to = self.first.add((first + row) * self.row_stride);
                    to.copy_from_nonoverlapping(from.as_ptr(), width);
                }
            }
        }
        Ok(())
    }
}

/// One product, and the pointer it writes to.
pub(super) struct Job<'a, T> {
    pub(super) out: *mut T,
    pub(super) row_stride: usize,
    pub(super) a: Matrix<'a, T>,
    pub(super) b: Matrix<'a, T>,
    pub(super) accumulate: Accumulate,
}

// SAFETY: the threads share a job to write disjoint blocks of `out`, and `a` and `b` are shared slices of plain numbers.
unsafe impl<T: Float> Sync for Job<'_, T> {}

impl<T: Float> Job<'_, T> {
    /// Computes the whole output, and calls `then` on every chunk of a row of it.
    ///
    /// # Safety
    /// `out` is valid for writes of the whole output for the duration, and no one else uses it; where `accumulate` reads it,
    /// it holds numbers.
    pub(super) unsafe fn run(&self, cut: Cut, then: &(impl Fn(usize, &mut [T]) + Sync)) {
        let sizes = Sizes { m: self.a.rows, n: self.b.cols, k: self.a.cols };
        let replaces = self.accumulate == Accumulate::REPLACE;
        let few_rows = replaces.then(|| FewRows::of(self.a, self.b)).flatten();
        // A block has all rows then.
        let cut = if few_rows.is_some() && matches!(cut, Cut::Rows) { Cut::Cols } else { cut };
        team::for_each(blocks(sizes, cut), |(rows, cols)| {
            // SAFETY: the blocks are disjoint parts of the output, and each is worked on once; `a` and `b` hold exactly
            // rows·cols elements, and their strides are those of a dense matrix or its transpose.
            unsafe { self.run_block(rows, cols, few_rows.as_ref(), then) }
        });
    }

    /// Computes the block `rows` × `cols` of the output.
    ///
    /// # Safety
    /// As [`Self::run`], for this block of the output; the matrices' strides stay inside their slices.
    pub(super) unsafe fn run_block(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        few_rows: Option<&FewRows<'_, T>>,
        then: &impl Fn(usize, &mut [T]),
    ) {
        if rows.is_empty() || cols.is_empty() {
            return;
        }
        let row_stride = self.row_stride;
        // SAFETY: the block's first element is one of the output.
        let first = unsafe { self.out.add(rows.start * row_stride + cols.start) };
        let block = OutputBlock { first, row_stride, rows, cols };
        let few_rows = few_rows.filter(|_| block.rows == (0..self.a.rows));
        // SAFETY: as this function's; the block has all rows.
        let is_done = few_rows.is_some_and(|few_rows| unsafe { block.fill(few_rows) }.is_ok());
        if !is_done {
            // SAFETY: as this function's.
            unsafe { self.multiply(&block) };
        }
        for row in 0..block.rows.len() {
            // SAFETY: a part of a row of this block, which no one else uses.
            let row = unsafe {
                std::slice::from_raw_parts_mut(block.first.add(row * row_stride), block.cols.len())
            };
            then(block.cols.start, row);
        }
    }

    /// Computes a block of the output; packs the right factor strip by strip where that is faster.
    ///
    /// # Safety
    /// As [`Self::run_block`]; the block is not empty.
    unsafe fn multiply(&self, block: &OutputBlock<T>) {
        if !panels::are_worth_packing(&self.b, block.rows.len()) {
            // SAFETY: as this function's.
            return unsafe { self.multiply_slabs(&block.rows, &block.cols) };
        }
        let mut panel = Vec::new();
        for cols in blocks::steps(block.cols.clone(), STRIP) {
            let b = panels::pack(self.b, &cols, &mut panel);
            // SAFETY: the strip's columns are some of the block's, so its first element is one of the output. `pack` gives a
            // row-major matrix (k, columns of the strip) with all of its elements.
            unsafe {
                let out = self.out.add(cols.start);
                Job { out, b, ..*self }.multiply_slabs(&block.rows, &(0..cols.len()));
            }
        }
    }

    /// Multiplies these rows and columns, by parts of the depth and slabs of rows.
    ///
    /// # Safety
    /// As [`Self::run_block`].
    unsafe fn multiply_slabs(&self, rows: &Range<usize>, cols: &Range<usize>) {
        for depth in blocks::depths(self.a.cols, self.a.row_stride == 1) {
            for rows in self.slabs(rows, cols, depth.len()) {
                // SAFETY: as this function's, for these rows of the block.
                unsafe { self.add_depth(&rows, cols, &depth) };
            }
        }
    }

    /// Some rows of a block that are multiplied at once, by the parts of the depth.
    fn slabs(
        &self,
        rows: &Range<usize>,
        cols: &Range<usize>,
        depth: usize,
    ) -> impl Iterator<Item = Range<usize>> {
        let Matrix { row_stride: stride, col_stride, .. } = self.b;
        let right = (col_stride == 1).then(|| Strips { cols: cols.len(), stride });
        blocks::slabs(rows.clone(), depth, right)
    }

    /// Adds the product of a part of the depth to a part of the output, the first in the place of what the output is to lose.
    ///
    /// # Safety
    /// The rows and columns are some of the product, the depth is a part of its own, and that part of the output is valid for
    /// writes and no one else's; where it is added to, it holds numbers.
    unsafe fn add_depth(&self, rows: &Range<usize>, cols: &Range<usize>, depth: &Range<usize>) {
        let Self { a, b, row_stride, accumulate: Accumulate { alpha, beta }, .. } = *self;
        let beta = if depth.start == 0 { beta } else { 1.0 };
        // SAFETY: rows, cols and depth are inside the matrices whose sizes `length` has checked against their slices, so every
        // address that gemm forms from these bases and strides is inside them.
        unsafe {
            gemm::gemm(
                rows.len(),
                cols.len(),
                depth.len(),
                self.out.add(rows.start * row_stride + cols.start),
                1,
                row_stride.cast_signed(),
                beta != 0.0,
                a.data.as_ptr().add(rows.start * a.row_stride + depth.start * a.col_stride),
                a.col_stride.cast_signed(),
                a.row_stride.cast_signed(),
                b.data.as_ptr().add(depth.start * b.row_stride + cols.start * b.col_stride),
                b.col_stride.cast_signed(),
                b.row_stride.cast_signed(),
                T::of(beta),
                T::of(alpha),
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }
}
