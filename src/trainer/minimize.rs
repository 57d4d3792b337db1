//! An update by an optimizer that evaluates the loss several times.

use super::Trainer;
use super::outcome::{Checked, UpdateOutcome};
use super::update_batch::UpdateBatch;
use crate::error::{Error, Result};
use crate::optim::{ClosureEnd, LossAndGrad};

impl Trainer {
    /// Makes the update, and reports the first loss; if the update is not made, the loss that is not finite.
    ///
    /// # Errors
    /// An interruption, or the end of the run's time, between two evaluations: the update is abandoned.
    pub(super) fn minimize(&mut self, batch: &UpdateBatch<'_>) -> Result<Option<UpdateOutcome>> {
        let Self { learner, memory, optimizer, average, executor, .. } = self;
        executor.run(&learner.network, batch, &mut |context| {
            let (mut first, mut last) = (None, None);
            let end = optimizer.minimize(batch.lr, &mut |optimizer| {
                if first.is_some() && learner.interruption.ends_search() {
                    return Err(Error::Interrupted);
                }
                let backward = learner.reduce(learner.forward_backward(batch, context, memory)?)?;
                let Checked { outcome, step } =
                    context.check(backward, batch.total, learner.limits(batch))?;
                first = first.or(outcome);
                last = outcome;
                let (Some(outcome), Some((gradients, clipping))) = (outcome, step) else { return Ok(None) };
                let loss = outcome.loss_sum / learner.loss.divisor(batch.total);
                let grad = optimizer.flat(gradients.into_dense()?, clipping)?;
                Ok(Some(LossAndGrad { loss, grad }))
            })?;
            if end != ClosureEnd::Made {
                return Ok(last);
            }
            if let Some(average) = average {
                context.join(average, learner.network.params(), batch.time.epoch)?;
            }
            Ok(first)
        })
    }
}
