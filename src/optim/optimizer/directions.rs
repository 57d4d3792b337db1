//! Directions that take long to compute, before an update changes anything.

use candle_core::{Tensor, Var};

use super::{Optimizer, RuleStep, Slotted, by_parameter};
use crate::error::{Error, Result};
use crate::nn::Gradients;
use crate::optim::UpdateRule;

impl Optimizer {
    /// The directions of the parameters whose rule has one; empty where no rule has.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(super) fn directions(
        &self,
        gradients: &Gradients<'_>,
        steps: &[RuleStep<'_>],
        gives_up: &dyn Fn() -> bool,
    ) -> Result<Vec<Option<Tensor>>> {
        let has_direction = |rule| by_parameter(rule).is_some_and(UpdateRule::has_direction);
        let any = self.rules.iter().any(|applied| has_direction(&applied.rule));
        let params: &[Slotted] = if any { &self.params } else { &[] };
        let direction = |Slotted { param, rule, slots }: &Slotted| {
            let own = by_parameter(&self.rules[*rule].rule).filter(|own| own.has_direction());
            let (Some(grad), Some(own)) = (gradients.get(param), own) else { return Ok(None) };
            let slots: Vec<Var> = slots.iter().map(|(_, var)| var.clone()).collect();
            let transform = &steps[*rule].transform;
            own.direction(param.var(), grad, &slots, transform, gives_up).map(Some)
        };
        let directions = params.iter().map(direction).collect();
        if gives_up() { Err(Error::Interrupted) } else { directions }
    }
}
