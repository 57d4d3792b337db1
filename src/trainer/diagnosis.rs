//! Updates that are not finite.

use candle_core::Tensor;

use super::Trainer;
use super::outcome::{Submitted, UpdateOutcome};
use super::update_batch::UpdateBatch;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::norm::all_finite;
use crate::nn::Layer;

impl Trainer {
    /// The error of an update that was not made. The trainer is then as it was before it.
    pub(super) fn diverged(
        &mut self,
        data: &Dataset,
        submitted: Submitted,
        outcome: UpdateOutcome,
    ) -> Result<Error> {
        let Submitted { epoch, rows, before, .. } = submitted;
        self.return_to(&before);
        self.executor.reopen()?;
        let batch = self.batch(data, &rows, epoch)?;
        let error = batch.diverged(outcome, self.learner.options.dtype);
        let params = self.learner.network.params();
        let tracked = params.copy_buffers()?;
        let first = self.first_that_is_not_finite(&batch);
        self.learner.network.params().restore_buffers(&tracked)?;
        self.failed_rows = Some(rows);
        // An error of the diagnosis must not hide the divergence.
        Ok(error.with_first(first.ok().flatten()))
    }

    /// The first place on a batch's way through the network and back that is not finite, for messages. Changes the
    /// running statistics.
    fn first_that_is_not_finite(&mut self, batch: &UpdateBatch<'_>) -> Result<Option<String>> {
        let Self { learner, memory, .. } = self;
        let network = &learner.network;
        for param in network.params().trainable() {
            if !all_finite(&[param.value()])? {
                return Ok(Some(format!("the parameter `{}`", param.name())));
            }
        }
        let divisor = learner.loss.divisor(batch.total);
        let writer = memory.grads.writer();
        for rows in learner.micro_batches(batch).flat_map(|rows| learner.parts(batch.data, rows)) {
            let tape = learner.tape(batch, rows.start);
            let part = batch.data.part(&batch.selection, rows, None)?;
            if !all_finite(&[&part.xs])? {
                return Ok(Some("the inputs of the batch".to_owned()));
            }
            let mut first = None;
            let mut on_layer = |layer: &dyn Layer, value: &Tensor| -> Result<()> {
                if first.is_none() && !all_finite(&[value])? {
                    first = Some(format!("the value of layer `{}`", layer.name()));
                }
                Ok(())
            };
            let loss = learner.part_backward(&part, divisor, tape, &writer, &mut on_layer)?;
            if first.is_some() {
                return Ok(first);
            }
            if !learner.options.dtype.holds(loss.read()?) {
                return Ok(Some("the loss itself".to_owned()));
            }
        }
        let gradients = writer.finish()?.into_dense()?;
        // The way back begins at the last parameter.
        for param in network.params().trainable().iter().rev() {
            if !all_finite(&[gradients.get(param)])? {
                return Ok(Some(format!("the gradient of `{}`", param.name())));
            }
        }
        Ok(None)
    }
}
