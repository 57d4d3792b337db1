//! Sizes and helpers shared by the cells' CPU kernels.

use super::pass::StepOrder;
use crate::kernels::storage::Float;

/// The sizes of a pass.
#[derive(Clone, Copy)]
pub(super) struct PassSizes<'a> {
    pub(super) steps: usize,
    pub(super) n: usize,
    pub(super) hidden: usize,
    pub(super) order: StepOrder<'a>,
}

/// The gradients of the steps' arguments, (T, N, G H) each: of what the input gave, and of what the state gave where
/// that is another.
pub(super) struct GateGrads<T> {
    pub(super) input: Vec<T>,
    pub(super) state: Option<Vec<T>>,
}

/// The transpose of a weight (rows, cols): where a product is repeated step by step, this is worth its pass.
pub(super) fn transposed<T: Float>(w: &[T], (rows, cols): (usize, usize)) -> Vec<T> {
    let mut transposed = vec![T::of(0.0); rows * cols];
    for (row, values) in w.chunks_exact(cols.max(1)).enumerate() {
        for (col, &value) in values.iter().enumerate() {
            transposed[col * rows + row] = value;
        }
    }
    transposed
}
