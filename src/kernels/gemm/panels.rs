//! A factor of many products, packed once for all of them.

use super::blocks::STRIP;
use super::matrix::Matrix;
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
        let Matrix { data: from, rows, cols, row_stride, col_stride } = matrix;
        let mut data = Vec::with_capacity(from.len());
        for first in (0..cols).step_by(STRIP) {
            let last = cols.min(first + STRIP);
            for row in (0..rows).map(|row| row * row_stride) {
                if col_stride == 1 {
                    data.extend_from_slice(&from[row + first..row + last]);
                } else {
                    data.extend((first..last).map(|col| from[row + col * col_stride]));
                }
            }
        }
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
