//! Updates of all parameters at once, with further evaluations of the loss.

use candle_core::{DType, Device, Tensor};

use super::{Evaluate, Optimizer, Slotted};
use crate::error::Result;
use crate::nn::Dense;
use crate::optim::{Clipping, Closure, ClosureEnd, LossAndGrad, UpdateKind};

impl Optimizer {
    /// Updates all parameters at once; the rule decides how often the loss is evaluated. `evaluate` computes loss and
    /// gradients at the current parameters. An update that is not made changes nothing.
    pub fn minimize(&mut self, lr: f64, evaluate: &mut Evaluate<'_>) -> Result<ClosureEnd> {
        let rule = self.options.rule.clone();
        let UpdateKind::Closure(rule) = rule.update_kind() else { return Ok(ClosureEnd::Made) };
        let sign = if self.options.rule.common().maximize { -1.0 } else { 1.0 };
        let start = self.point()?;
        let (mut point, mut history) = (start.clone(), self.history.clone());
        let at: &mut Closure<'_> = &mut |point: &[f64]| {
            self.move_to(point)?;
            Ok(evaluate(self)?.map(|LossAndGrad { loss, mut grad }| {
                for g in &mut grad {
                    *g *= sign;
                }
                LossAndGrad { loss: sign * loss, grad }
            }))
        };
        let end = rule.update(&mut point, &mut history, lr, at);
        if !matches!(end, Ok(ClosureEnd::Made)) {
            self.move_to(&start)?;
            return end;
        }
        self.move_to(&point)?;
        self.history = history;
        self.steps += 1;
        end
    }

    /// The clipped gradients, concatenated.
    pub fn flat(&self, gradients: Dense<'_>, clipping: Clipping<'_>) -> Result<Vec<f64>> {
        let mut flat = Vec::new();
        for Slotted { param, .. } in &self.params {
            let grad = gradients.get(param);
            let grad = grad.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
            flat.extend(grad.into_iter().map(|g| g.clamp(-clipping.clamp, clipping.clamp) * clipping.scale));
        }
        Ok(flat)
    }

    /// The parameters, concatenated.
    fn point(&self) -> Result<Vec<f64>> {
        let mut point = Vec::new();
        for Slotted { param, .. } in &self.params {
            point.extend(param.value().to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?);
        }
        Ok(point)
    }

    fn move_to(&self, point: &[f64]) -> Result<()> {
        let mut rest = point;
        for Slotted { param, .. } in &self.params {
            let value = param.value();
            let (own, behind) = rest.split_at(value.elem_count());
            rest = behind;
            let own = Tensor::from_slice(own, value.shape(), &Device::Cpu)?.to_dtype(value.dtype())?;
            param.var().set(&own.to_device(value.device())?)?;
        }
        Ok(())
    }
}
