//! A factor of many products, packed once for all of them.

use super::blocks::STRIP;
use super::matrix::Matrix;
use super::transpose::{TILE, transpose};
use crate::kernels::storage::Float;
use crate::kernels::team;
use crate::kernels::zeros::zeros;

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
        /// The elements that one thread takes at a time.
        const CHUNK: usize = 1 << 13;
        let Matrix { rows, cols, .. } = matrix;
        let mut data = zeros(rows * cols);
        let (mut rest, mut chunks) = (&mut data[..], Vec::new());
        for first in (0..cols).step_by(STRIP) {
            let width = STRIP.min(cols - first);
            let (panel, after) = rest.split_at_mut(rows * width);
            rest = after;
            let height = (CHUNK / width).next_multiple_of(TILE);
            let starts = (0..rows).step_by(height);
            let chunks_of = starts.zip(panel.chunks_mut(height * width));
            chunks.extend(chunks_of.map(|(top, to)| PanelChunk { top, first, width, to }));
        }
        team::for_each(chunks, |chunk| chunk.fill(matrix));
        Self { data, rows, cols }
    }

    /// Rows and columns of the factor.
    pub(super) fn dims(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// Each panel with its first column.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Matrix<'_, T>)> {
        (0..self.cols).step_by(STRIP).map(|first| {
            let cols = STRIP.min(self.cols - first);
            let panel = &self.data[first * self.rows..][..self.rows * cols];
            (first, Matrix::new(panel, self.rows, cols))
        })
    }
}

/// Some rows of a panel, (rows, `width`).
struct PanelChunk<'a, T> {
    /// The first row and column in the factor.
    top: usize,
    first: usize,
    width: usize,
    to: &'a mut [T],
}

impl<T: Float> PanelChunk<'_, T> {
    /// Copies them from the factor.
    fn fill(self, Matrix { data, row_stride, col_stride, .. }: Matrix<'_, T>) {
        let Self { top, first, width, to } = self;
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
