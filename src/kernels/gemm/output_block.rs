//! A part of a product's output.

use std::ops::Range;

use super::transpose::{TILE, transpose};
use crate::kernels::storage::Float;

/// Some rows and columns of an output that threads share.
pub(super) struct OutputBlock<T> {
    /// Its first element.
    pub(super) first: *mut T,
    /// The elements from one of its rows to the next.
    pub(super) row_stride: usize,
    pub(super) rows: Range<usize>,
    pub(super) cols: Range<usize>,
}

impl<T: Float> OutputBlock<T> {
    /// Writes some of the block's rows, counted from its first, by their transpose (cols, rows).
    ///
    /// # Safety
    /// The block is valid for writes and no one else's, and has these rows.
    pub(super) unsafe fn write_transpose(&self, transposed: &[T], rows: Range<usize>) {
        let (height, width) = (rows.len(), self.cols.len());
        let mut strip = vec![T::of(0.0); TILE.min(height) * width];
        for top in (0..height).step_by(TILE) {
            let strip = &mut strip[..TILE.min(height - top) * width];
            transpose(&transposed[top..], height, strip, width);
            for (at, row) in strip.chunks_exact(width).enumerate() {
                // SAFETY: a row of the block.
                unsafe {
                    let to = self.first.add((rows.start + top + at) * self.row_stride);
                    to.copy_from_nonoverlapping(row.as_ptr(), width);
                }
            }
        }
    }
}
