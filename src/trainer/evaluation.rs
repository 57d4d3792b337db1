//! Loss and metrics of a network.

use candle_core::Tensor;

use crate::data::{Dataset, Task, Units};
use crate::error::{Error, Result};
use crate::loss::{Losses, widened};
use crate::metrics::{Metric, Tally};
use crate::model::Network;

/// Rows that are evaluated at a time.
const EVALUATION_ROWS: usize = 1000;

/// Loss and metrics of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The mean loss.
    pub loss: f64,
    /// The metrics that fit the kind of targets.
    pub metrics: Vec<Metric>,
    /// All that was counted.
    pub tally: Tally,
}

/// Loss and metrics of `network` on `data`, in evaluation mode: the loss as it is trained, the metrics in the targets'
/// own units.
///
/// # Errors
/// A loss that is not finite.
pub fn evaluate(network: &Network, loss: &Losses, data: &Dataset) -> Result<Evaluation> {
    let want: Task = loss.want();
    let (mut sum, mut total, mut tally) = (0.0, 0.0, Tally::new(want));
    for rows in data.chunks_of(EVALUATION_ROWS) {
        let batch = data.batch(&rows)?;
        let outputs = widened(&network.forward(&batch.xs)?)?;
        let weight = if batch.ys.device().is_cuda() {
            loss.total(&data.targets_to_count(&rows)?)?
        } else {
            loss.total(&batch.ys)?
        };
        sum += loss.apply(&outputs, &batch.ys, 1.0)?.0.read()?;
        total += weight;
        let predictions = predictions(loss, &outputs, data.units())?;
        match data.units() {
            Some(units) => tally.add(&predictions, &units.restore(&batch.ys)?)?,
            None => tally.add(&predictions, &batch.ys)?,
        }
    }
    if total == 0.0 {
        return Err(no_row_counts());
    }
    let loss = sum / total;
    if !loss.is_finite() {
        return Err(Error::Weights(format!(
            "in evaluation the loss is {loss}: the weights have grown too large; lower `optimizer.lr`, or set \
             `train.clip_grad_norm`"
        )));
    }
    Ok(Evaluation { loss, metrics: tally.metrics(), tally })
}

/// The predictions of `network` for inputs (N, …), in evaluation mode: probabilities (N, C), or values (N, K), in their
/// own units where these are given.
pub fn predict(network: &Network, loss: &Losses, inputs: &Tensor, units: Option<&Units>) -> Result<Tensor> {
    predictions(loss, &widened(&network.forward(inputs)?)?, units)
}

/// The predictions that the outputs (N, K) of a network stand for.
fn predictions(loss: &Losses, outputs: &Tensor, units: Option<&Units>) -> Result<Tensor> {
    let predictions = loss.predict(outputs)?;
    units.map_or(Ok(predictions.clone()), |units| units.restore(&predictions))
}

/// torch gives NaN for the mean over nothing.
pub(super) fn no_row_counts() -> Error {
    Error::key("loss", "leaves no row of a batch to count; look at `ignore_index` and `weight`")
}
