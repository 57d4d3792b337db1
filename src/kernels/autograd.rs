//! The gradient of plain tensor code, by candle's own backward: what a kernel's reference uses, and what tests check
//! kernels against.

use candle_core::{Result, Tensor, Var};

use super::{Accumulate, GradOut};

/// The vector-Jacobian product of `f` at `inputs`: the gradients of `Σ f(inputs) · grad`, one for each input.
pub fn vjp(
    inputs: &[&Tensor],
    grad: &Tensor,
    f: impl FnOnce(&[Tensor]) -> Result<Tensor>,
) -> Result<Vec<Tensor>> {
    let vars: Vec<Var> = inputs.iter().map(|x| Var::from_tensor(&x.detach())).collect::<Result<_>>()?;
    let tracked: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
    let store = f(&tracked)?.mul(grad)?.sum_all()?.backward()?;
    vars.iter()
        .map(|var| match store.get(var) {
            Some(gradient) => Ok(gradient.detach()),
            None => var.zeros_like(),
        })
        .collect()
}

/// Puts a gradient where it belongs.
pub fn store(GradOut { buffer, accumulate }: GradOut<'_>, grad: &Tensor) -> Result<()> {
    let grad = match accumulate {
        Accumulate::REPLACE => grad.contiguous()?,
        Accumulate::ADD => (buffer + grad)?,
        Accumulate { alpha, beta } => ((buffer * beta)? + (grad * alpha)?)?,
    };
    buffer.slice_set(&grad, 0, 0)
}
