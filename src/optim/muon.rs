//! Muon, momentum orthogonalised by Newton-Schulz iterations: Jordan 2024, <https://kellerjordan.github.io/posts/muon/>,
//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.Muon.html>.

use candle_core::{DType, Tensor, Var};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adamw::AdamW;
use super::{Common, Hyperparameters, Rule, Slot, StepContext, UpdateRule, check_non_negative};
use crate::error::{Error, Result};
use crate::kernels::norm::sum_of_squares;
use crate::kernels::update::{Descend, GradTransform, gradient, update};
use crate::registry::KeyError;

/// `b ← μ b + (1 - μ) g`, and a step along the orthogonal matrix nearest to b. For matrices; other parameters are
/// updated by `AdamW` with the same `lr` and otherwise its defaults: their weight decay is 0.01.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Muon {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Decoupled weight decay of the matrices: each update first multiplies the weight by `1 - lr · weight_decay`.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Momentum factor μ.
    #[schemars(range(min = 0))]
    pub momentum: f64,
    /// Use Nesterov momentum.
    pub nesterov: bool,
    /// The coefficients of the Newton-Schulz iteration.
    pub ns_coefficients: [f64; 3],
    /// Lower bound of the norm that the direction is divided by.
    #[schemars(range(min = 0))]
    pub eps: f64,
    /// Number of Newton-Schulz iterations.
    #[schemars(range(max = 99))]
    pub ns_steps: usize,
    /// The adjustment of the learning rate to the matrix's shape.
    pub adjust_lr_fn: AdjustLr,
}

/// Factors by which the learning rate is adjusted to a matrix of shape (A, B), as in torch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustLr {
    /// `√max(1, A / B)`
    #[default]
    Original,
    /// `0.2 √max(A, B)`: matches the root mean square of `AdamW`'s updates.
    MatchRmsAdamw,
    /// `√(A / B)`
    SpectralUnclamped,
}

impl Default for Muon {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            weight_decay: 0.1,
            momentum: 0.95,
            nesterov: true,
            ns_coefficients: [3.4445, -4.7750, 2.0315],
            eps: 1e-7,
            ns_steps: 5,
            adjust_lr_fn: AdjustLr::Original,
        }
    }
}

/// Rounds to bfloat16, in which torch runs the iteration, and returns f32.
fn rounded(xs: &Tensor) -> Result<Tensor> {
    Ok(xs.to_dtype(DType::BF16)?.to_dtype(DType::F32)?)
}

/// The places of the state, by torch's names.
const MOMENTUM_BUFFER: usize = 0;

impl Muon {
    /// An approximation of the orthogonal matrix nearest to `direction`: five iterations do not converge, and need not.
    ///
    /// # Errors
    /// [`Error::Interrupted`] between two products, once it is to stop.
    fn orthogonal(&self, direction: &Tensor, gives_up: &dyn Fn() -> bool) -> Result<Tensor> {
        let go_on = || if gives_up() { Err(Error::Interrupted) } else { Ok(()) };
        let [a, b, c] = self.ns_coefficients;
        let (rows, cols) = direction.dims2()?;
        let upright = rows > cols;
        let mut x = rounded(&if upright { direction.t()?.contiguous()? } else { direction.clone() })?;
        let norm = rounded(&Tensor::new(&[sum_of_squares(&[&x])?.sqrt()], x.device())?)?.maximum(self.eps)?;
        x = rounded(&x.broadcast_div(&norm)?)?;
        for _ in 0..self.ns_steps {
            go_on()?;
            let gram = rounded(&x.matmul(&x.t()?)?)?;
            go_on()?;
            let polynomial = rounded(&((&gram * b)? + (gram.matmul(&gram)? * c)?)?)?;
            go_on()?;
            x = rounded(&((&x * a)? + polynomial.matmul(&x)?)?)?;
        }
        if upright { Ok(x.t()?.contiguous()?) } else { Ok(x) }
    }

    /// The momentum buffer after this gradient.
    fn buffer(&self, grad: &Tensor, slots: &[Var]) -> Result<Tensor> {
        let old = slots[MOMENTUM_BUFFER].as_detached_tensor();
        Ok((&old + ((grad - &old)? * (1.0 - self.momentum))?)?)
    }

    #[allow(clippy::cast_precision_loss, reason = "the sizes of a matrix")]
    fn adjusted(&self, lr: f64, matrix: &Tensor) -> Result<f64> {
        let (rows, cols) = matrix.dims2()?;
        let (a, b) = (rows as f64, cols as f64);
        Ok(lr
            * match self.adjust_lr_fn {
                AdjustLr::Original => (a / b).max(1.0).sqrt(),
                AdjustLr::MatchRmsAdamw => 0.2 * a.max(b).sqrt(),
                AdjustLr::SpectralUnclamped => (a / b).sqrt(),
            })
    }
}

impl Hyperparameters for Muon {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: self.weight_decay, decoupled: true, maximize: false }
    }

    fn scales_with_lr(&self) -> bool {
        false
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        vec![Slot::zero("momentum_buffer")]
    }

    fn has_step(&self) -> bool {
        false
    }

    fn fallback_for(&self, dims: &[usize]) -> Option<Rule> {
        (dims.len() != 2).then(|| Rule::AdamW(AdamW { lr: self.lr, ..AdamW::default() }))
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.momentum)
    }

    fn check(&self) -> Result<(), KeyError> {
        if self.ns_steps >= 100 {
            return Err(KeyError::new("ns_steps", format!("is {}; take fewer than 100", self.ns_steps)));
        }
        if let Some(at) = self.ns_coefficients.iter().position(|c| !c.is_finite()) {
            return Err(KeyError::new(format!("ns_coefficients[{at}]"), "must be a finite number"));
        }
        check_non_negative(&[("momentum", self.momentum), ("eps", self.eps)])
    }
}

impl UpdateRule for Muon {
    fn has_direction(&self) -> bool {
        true
    }

    fn direction(
        &self,
        param: &Var,
        grad: &Tensor,
        slots: &[Var],
        transform: &GradTransform<'_>,
        gives_up: &dyn Fn() -> bool,
    ) -> Result<Tensor> {
        let grad = gradient(transform, param, grad)?;
        let buffer = self.buffer(&grad, slots)?;
        let direction = if self.nesterov { (&grad + ((&buffer - &grad)? * self.momentum)?)? } else { buffer };
        Ok(self.orthogonal(&direction, gives_up)?.to_dtype(param.dtype())?)
    }

    fn update_along(
        &self,
        direction: &Tensor,
        param: &Var,
        grad: &Tensor,
        slots: &[Var],
        transform: &GradTransform<'_>,
        at: StepContext,
    ) -> Result<()> {
        // Computed again: kept beside the direction it would take the memory of one more matrix a parameter.
        let grad = gradient(transform, param, grad)?;
        slots[MOMENTUM_BUFFER].set(&self.buffer(&grad, slots)?)?;
        let decay = GradTransform { keep: transform.keep, ..GradTransform::NONE };
        let lr = self.adjusted(at.lr, param)?;
        Ok(update(&Descend(lr), &decay, param, direction, &[])?)
    }

    fn update(
        &self,
        param: &Var,
        grad: &Tensor,
        slots: &[Var],
        transform: &GradTransform<'_>,
        at: StepContext,
    ) -> Result<()> {
        let direction = self.direction(param, grad, slots, transform, &|| false)?;
        self.update_along(&direction, param, grad, slots, transform, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::draws::Draws;

    #[test]
    fn a_direction_becomes_nearly_orthogonal() {
        let draws = Draws::new(1);
        for shape in [(4, 9), (9, 4)] {
            let direction = draws.normal(shape, 3.0);
            let x = Muon::default().orthogonal(&direction, &|| false).unwrap();
            let gram = if shape.0 < shape.1 { x.matmul(&x.t().unwrap()) } else { x.t().unwrap().matmul(&x) };
            // The coefficients bring every singular value to 0.7 … 1.2, by the author's own account.
            for (row, values) in gram.unwrap().to_vec2::<f32>().unwrap().iter().enumerate() {
                for (col, value) in values.iter().enumerate() {
                    let (low, high) = if row == col { (0.4, 1.6) } else { (-0.5, 0.5) };
                    assert!((low..high).contains(value), "{row} {col}: {value}");
                }
            }
        }
    }
}
