//! Sizes and helpers shared by the cells' CPU kernels.

use candle_core::{Result, Tensor};

use super::pass::StepOrder;
use crate::kernels::gemm::{Cut, Matrix, new_matmul};
use crate::kernels::storage::{Float, view};

/// The sizes of a pass.
#[derive(Clone, Copy)]
pub(super) struct PassSizes<'a> {
    pub(super) steps: usize,
    pub(super) n: usize,
    pub(super) hidden: usize,
    pub(super) order: StepOrder<'a>,
}

/// The gradients of the steps' arguments: of what the input gave, and of what the state gave where that is another.
pub(super) struct GateGrads {
    pub(super) input: ArgumentGrad,
    pub(super) state: Option<ArgumentGrad>,
}

/// A gradient of the arguments of all steps.
pub(super) struct ArgumentGrad {
    /// The gradient, (T, N, G H).
    pub(super) grad: Tensor,
    /// Its sums over steps and rows, which are the gradient of a bias. They are added up while the rows are in the cache.
    pub(super) sums: Vec<f64>,
}

/// The products of the input of all steps: xs (T, N, F) and `weight_ih` (G H, F) to (T, N, G H). A step adds the bias, where
/// it reads the numbers anyway.
pub(super) fn input_products<T: Float>(xs: &Tensor, w_ih: &Tensor) -> Result<Vec<T>> {
    let ((steps, n, features), (width, _)) = (xs.dims3()?, w_ih.dims2()?);
    let (x, w) = (view::<T>(xs)?, view::<T>(w_ih)?);
    new_matmul(Matrix::new(&x, steps * n, features), Matrix::new(&w, width, features).t(), Cut::Cols)
}
