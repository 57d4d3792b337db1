//! A right factor packed in panels of 64 columns: whole for many products, or a strip at a time within one.

use std::ops::Range;

use super::blocks::{STRIP, steps};
use super::matrix::Matrix;
use super::transpose::{TILE, transpose};
use crate::kernels::buffers::{CHUNK, filled};
use crate::kernels::storage::Float;

/// A right factor (rows, cols) in panels of a few columns, each of which lies together: a product with few rows reads it from
/// the cache, where the columns of a row-major matrix push each other out.
pub(in crate::kernels) struct Panels<T> {
    /// The panels, (rows, up to 64) each.
    data: Vec<T>,
    rows: usize,
    cols: usize,
}

impl<T: Float> Panels<T> {
    /// Packs a matrix.
    pub(in crate::kernels) fn new(matrix: Matrix<'_, T>) -> Self {
        let Matrix { rows, cols, .. } = matrix;
        let chunks = steps(0..cols, STRIP).flat_map(|cols| {
            let (first, width) = (cols.start, cols.len());
            let height = (CHUNK / width).next_multiple_of(TILE);
            steps(0..rows, height)
                .map(move |rows| (rows.len() * width, PanelChunk { top: rows.start, first, width }))
        });
        let [data] = filled(chunks, |chunk, [to]| chunk.fill(matrix, to));
        Self { data, rows, cols }
    }

    /// Rows and columns of the factor.
    pub(super) fn dims(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// Each panel with its first column.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Matrix<'_, T>)> {
        steps(0..self.cols, STRIP).map(|cols| {
            let panel = &self.data[cols.start * self.rows..cols.end * self.rows];
            (cols.start, Matrix::new(panel, self.rows, cols.len()))
        })
    }
}

/// Whether a block of so many rows is multiplied faster by [`pack`]ed strips. The columns of a weight's transpose that lie a
/// multiple of 2,048 bytes apart push each other out of the cache while `gemm` packs them: on one core of a Zen 4 products of 512
/// rows with a transpose of depth 512, 1,536 and 2,048 ran at 96, 94 and 87 GFLOP/s, those of panels at 114 to 117.
pub(super) fn are_worth_packing<T: Float>(b: &Matrix<'_, T>, rows: usize) -> bool {
    /// Columns that lie a multiple of this many bytes apart share two sets of a cache of 32 KiB with 8 ways.
    const CONFLICT_STRIDE: usize = 2048;
    /// Packing takes longer than what the products of so few rows gain.
    const MOST_ROWS_UNPACKED: usize = 128;
    /// The largest panel that was measured, in a second-level cache of 1 MiB.
    const MOST_BYTES: usize = 1 << 20;
    let is_transpose = b.row_stride == 1 && b.col_stride == b.rows;
    let conflicts = (b.col_stride * size_of::<T>()).is_multiple_of(CONFLICT_STRIDE);
    let fits = b.rows > 0 && b.rows * STRIP * size_of::<T>() <= MOST_BYTES;
    is_transpose && conflicts && fits && b.cols >= STRIP && rows > MOST_ROWS_UNPACKED
}

/// Some columns of a factor, packed into a buffer.
pub(super) fn pack<'a, T: Float>(
    from: Matrix<'_, T>,
    cols: &Range<usize>,
    panel: &'a mut Vec<T>,
) -> Matrix<'a, T> {
    panel.resize(from.rows * cols.len(), T::of(0.0));
    PanelChunk { top: 0, first: cols.start, width: cols.len() }.fill(from, panel);
    Matrix::new(panel, from.rows, cols.len())
}

/// Some rows of a panel, (rows, `width`).
struct PanelChunk {
    /// The first row and column in the factor.
    top: usize,
    first: usize,
    width: usize,
}

impl PanelChunk {
    /// Copies them from the factor.
    fn fill<T: Float>(self, Matrix { data, row_stride, col_stride, .. }: Matrix<'_, T>, to: &mut [T]) {
        let Self { top, first, width } = self;
        if row_stride == 1 {
            transpose(&data[first * col_stride + top..], col_stride, to, width);
            return;
        }
        debug_assert_eq!(col_stride, 1, "the stride of a matrix or its transpose");
        for (to, from) in to.chunks_exact_mut(width).zip(data[first..].chunks(row_stride).skip(top)) {
            to.copy_from_slice(&from[..width]);
        }
    }
}
