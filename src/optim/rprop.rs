//! Resilient backpropagation, for full batches: Riedmiller and Braun 1993, <https://docs.pytorch.org/docs/stable/generated/torch.optim.Rprop.html>.

use std::ops::RangeInclusive;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Common, ElementwiseRule, Hyperparameters, Slot, StepContext, check_non_negative};
use crate::kernels::real::{PerElement, Real, Updated};
use crate::registry::KeyError;

/// Each weight has its own step size, which is multiplied by `etas[1]` while the sign of its gradient stays the same and
/// by `etas[0]` when it changes; in that case the gradient is taken, and stored, as 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rprop {
    /// The learning rate.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Factors by which a step size decreases and increases.
    #[schemars(transform = around_one)]
    pub etas: [f64; 2],
    /// Minimum and maximum step size.
    #[schemars(inner(range(min = 0)))]
    pub step_sizes: [f64; 2],
    /// Maximise instead of minimise.
    pub maximize: bool,
}

/// Schema: the first factor is below 1, the second above.
fn around_one(schema: &mut Schema) {
    let shrink = json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 });
    let grow = json!({ "type": "number", "exclusiveMinimum": 1 });
    schema.insert("prefixItems".to_owned(), json!([shrink, grow]));
    schema.remove("items");
}

impl Default for Rprop {
    fn default() -> Self {
        Self { lr: 1e-2, etas: [0.5, 1.2], step_sizes: [1e-6, 50.0], maximize: false }
    }
}

/// The places of the state, by torch's names.
const PREV: usize = 0;
const STEP_SIZE: usize = 1;

/// The arithmetic of one step.
#[derive(Debug)]
pub struct Formula {
    etas: [f64; 2],
    step_sizes: [f64; 2],
}

impl PerElement for Formula {
    const NAME: &str = "rprop";
    const SLOTS: RangeInclusive<usize> = 2..=2;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
        let zero = g.constant(0.0);
        let one = g.constant(1.0);
        let turn = g * slots[PREV];
        let [shrink, grow] = self.etas.map(|eta| g.constant(eta));
        let factor = turn.if_positive(grow, (-turn).if_positive(shrink, one));
        let [smallest, largest] = self.step_sizes.map(|size| g.constant(size));
        let size = (slots[STEP_SIZE] * factor).larger(smallest);
        let size = -(-size).larger(-largest);
        let g = (-turn).if_positive(zero, g);
        let sign = g.sign();
        slots[PREV] = g;
        slots[STEP_SIZE] = size;
        Updated { param: p - sign * size, slots }
    }
}

impl Hyperparameters for Rprop {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: 0.0, decoupled: false, maximize: self.maximize }
    }

    fn scales_with_lr(&self) -> bool {
        false
    }

    fn slots(&self, _: &[usize]) -> Vec<Slot> {
        vec![Slot::zero("prev"), Slot::lr("step_size")]
    }

    fn check(&self) -> Result<(), KeyError> {
        let [shrink, grow] = self.etas;
        if !(0.0 < shrink && shrink < 1.0 && 1.0 < grow && grow.is_finite()) {
            return Err(KeyError::new(
                "etas",
                format!("are {shrink} and {grow}; it must be 0 < etas[0] < 1 < etas[1]"),
            ));
        }
        let [smallest, largest] = self.step_sizes;
        check_non_negative(&[("step_sizes[0]", smallest), ("step_sizes[1]", largest)])
    }
}

impl ElementwiseRule for Rprop {
    type Formula = Formula;

    fn formula(&self, _: StepContext) -> Formula {
        Formula { etas: self.etas, step_sizes: self.step_sizes }
    }
}
