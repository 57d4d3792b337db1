//! Binary cross-entropy of logits, <https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html>.

use candle_core::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elementwise::Elementwise;
use super::{Losses, NetworkOutput, PosWeight, Reduction, TrainingClasses, Weights, first_not};
use crate::data::Task;
use crate::error::Result;
use crate::kernels::pairwise::Pairwise;
use crate::kernels::real::Real;
use crate::names::counted;
use crate::registry::KeyError;

/// `(1 - y) x + (1 + (pos_weight - 1) y) log(1 + e^-x)` in the form that no logit overflows, averaged over rows and
/// values. A target is 0 or 1, or a probability.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BceWithLogits {
    /// The weight of positive targets: one number for all labels, a list in their order, or by name, where those that are
    /// not named weigh 1.
    pub pos_weight: Option<PosWeight>,
    /// Whether the gradient is that of the mean or of the sum.
    pub reduction: Reduction,
}

impl Pairwise for BceWithLogits {
    #[inline(always)]
    fn apply<R: Real>(&self, x: R, y: R, w: R) -> (R, R) {
        let one = x.constant(1.0);
        let zero = x.constant(0.0);
        let positive = one + (w - one) * y;
        let log = (-x.magnitude()).exponential().log_of_one_plus() + (-x).if_positive(-x, zero);
        ((one - y) * x + positive * log, (one - y) - positive * (-x).sigmoid())
    }

    fn column_weights(&self) -> Option<&[f64]> {
        self.pos_weight.as_ref().and_then(PosWeight::list)
    }
}

impl Elementwise for BceWithLogits {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn task(&self) -> Task {
        Task::Labels
    }

    fn check(&self) -> Result<(), KeyError> {
        self.pos_weight.as_ref().map_or(Ok(()), |weights| weights.check("pos_weight"))
    }

    fn check_outputs(&self, outputs: usize) -> Result<(), KeyError> {
        match self.column_weights() {
            Some(weight) if weight.len() != outputs => {
                let (numbers, targets) = (counted(weight.len(), "number"), counted(outputs, "target"));
                let problem = format!(
                    "has {numbers} for rows of {targets}; give one a target, or one number without brackets for all"
                );
                Err(KeyError::new("pos_weight", problem))
            }
            _ => Ok(()),
        }
    }

    fn check_targets(&self, ys: &Tensor) -> Result<Option<String>> {
        let wrong = first_not(ys, |y| (0.0..=1.0).contains(&y))?;
        Ok(wrong.map(|y| format!("its targets lie between 0 and 1, and the data has {y}")))
    }

    fn fitted(&self, classes: &TrainingClasses<'_>) -> Result<Option<Losses>, KeyError> {
        let Some(weights) = &self.pos_weight else { return Ok(None) };
        if let (PosWeight::Each(Weights::ByName(named)), [second]) = (weights, classes.names)
            && let Some((name, _)) = named.iter().find(|(name, _)| name != second)
        {
            let problem = format!(
                "`pos_weight` weighs the second of two classes in order, `{}`, and no other; `cross_entropy` weighs any \
                 class by its `weight`",
                second.escape_debug()
            );
            return Err(KeyError::new(
                format!("pos_weight.{}", name.escape_debug()),
                format!("cannot be set: {problem}"),
            ));
        }
        let list = weights.in_order("pos_weight", classes.names, classes.counts.len())?;
        let pos_weight = Some(PosWeight::Each(Weights::List(list)));
        Ok(Some(Losses::BceWithLogits(Self { pos_weight, ..self.clone() })))
    }

    fn output(&self) -> NetworkOutput {
        NetworkOutput::LabelLogits
    }
}
