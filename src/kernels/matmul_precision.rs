//! The precision of matrix products.

use candle_core::{DType, Result, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In which precision the products of linear layers run, forward and backward. Parameters, moments and all else stay in
/// f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MatmulPrecision {
    /// 32 bits.
    #[default]
    F32,
    /// On GPUs of compute capability 8.0 and more, factors with 10 bits of mantissa and sums of 32 bits:
    /// `torch.backends.cuda.matmul.allow_tf32`. The inputs of recurrent layers too. On CPUs, as in torch, f32.
    Tf32,
    /// Factors and results with 7 bits of mantissa, and sums of 32 bits, as `torch.autocast(dtype=torch.bfloat16)`. On
    /// CPUs the same values, slower. Recurrent layers stay in f32.
    Bf16,
}

impl MatmulPrecision {
    /// Makes cuBLAS round factors as this asks; candle has that as a setting of the whole process.
    pub fn set_for_gpus(self) {
        #[cfg(feature = "cuda")]
        candle_core::cuda_backend::set_gemm_reduced_precision_f32(self == Self::Tf32);
    }
}

/// The product of two matrices.
pub(super) fn product(a: &Tensor, b: &Tensor, precision: MatmulPrecision) -> Result<Tensor> {
    if precision == MatmulPrecision::Bf16 { in_bf16(a, b) } else { a.matmul(b) }
}

/// The product of two matrices in bf16, widened to their own type.
fn in_bf16(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.device().is_cuda() {
        return a.to_dtype(DType::BF16)?.matmul(&b.to_dtype(DType::BF16)?)?.to_dtype(a.dtype());
    }
    rounded(&rounded(a)?.matmul(&rounded(b)?)?)
}

/// The numbers as bf16 has them.
fn rounded(xs: &Tensor) -> Result<Tensor> {
    xs.to_dtype(DType::BF16)?.to_dtype(xs.dtype())
}
