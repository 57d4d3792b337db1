//! Where the finite numbers were left.

use super::Trainer;
use super::pass::{Batch, Pass};
use crate::error::Result;
use crate::kernels::norm::all_finite;
use crate::nn::Tape;

impl Trainer {
    /// The first place on a batch's way through the network and back that is not finite, for messages. What tracks the
    /// data is moved by it.
    pub(super) fn first_that_is_not_finite(&mut self, batch: &Batch<'_>) -> Result<Option<String>> {
        let Self { network, loss, optimizer, options, grads, inputs, seed, .. } = self;
        for param in network.params().trainable() {
            if !all_finite(param.value())? {
                return Ok(Some(format!("the parameter `{}`", param.name())));
            }
        }
        let pass = Pass {
            network,
            loss,
            is_plain: optimizer.is_plain_descent(),
            options,
            grads,
            inputs,
            seed: *seed,
            interrupt: None,
        };
        let parts = pass.parts(batch.data, batch.rows);
        let writer = pass.grads.writer();
        let targets = batch.data.targets(batch.rows)?;
        let divisor = loss.divisor(loss.total(&targets)?);
        for (start, rows) in parts {
            let xs = batch.data.inputs(rows)?;
            if !all_finite(&xs)? {
                return Ok(Some("the inputs of the batch".to_owned()));
            }
            let mut tape = Tape::new(*seed, batch.step, start as u64);
            let values = network.trace(&xs, &mut tape)?;
            for (name, value) in &values {
                if !all_finite(value)? {
                    return Ok(Some(format!("the value of layer `{name}`")));
                }
            }
            let outputs = values.last().map_or(&xs, |(_, value)| value);
            let (sum, grad) = loss.apply(outputs, &targets.narrow(0, start, rows.len())?, divisor)?;
            if !options.dtype.holds(sum.read()?) {
                return Ok(Some("the loss itself".to_owned()));
            }
            tape.backward(grad, &writer)?;
        }
        let gradients = writer.finish()?.into_dense()?;
        // The way back begins at the last parameter.
        for param in network.params().trainable().iter().rev() {
            if !all_finite(gradients.get(param))? {
                return Ok(Some(format!("the gradient of `{}`", param.name())));
            }
        }
        Ok(None)
    }
}
