//! What 8 bits a weight cost, on the rows that were held out.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

use crate::error::{Error, Result};
use crate::export::model::TrainedModel;
use crate::names::counted;
use crate::run::scoring::Evaluator;
use crate::run::trained::TrainedRun;

/// A sentence with the loss and the first metric of the run's weights and of `rounded` on the test split.
///
/// # Errors
/// The computation fails. Data that is missing or has changed is none: a warning says so.
pub(super) fn sentence(model: &TrainedModel, rounded: &BTreeMap<String, Tensor>) -> Result<Option<String>> {
    let run = TrainedRun::open(&model.folder, "export", &[])?;
    let evaluator = match run.held_out(&[], &Device::Cpu) {
        Ok(evaluator) => evaluator,
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(error) => {
            tracing::warn!("int8: the loss of accuracy was not measured: {error}");
            return Ok(None);
        }
    };
    let (rows, name) = (counted(evaluator.rows(), "row"), evaluator.part.name());
    let single = measured(&evaluator)?;
    evaluator.load(rounded)?;
    let int8 = measured(&evaluator)?;
    let prefix = evaluator.part.prefix();
    let pairs = single.iter().zip(&int8).map(|(single, int8)| {
        format!("{prefix}_{} {:.4} with float, {:.4} with int8", single.name, single.value, int8.value)
    });
    let pairs = pairs.collect::<Vec<_>>().join("; ");
    let sentence = format!("int8: on the {rows} of the {name} split {pairs}");
    tracing::info!("{sentence}");
    Ok(Some(sentence))
}

struct Measured {
    name: String,
    value: f64,
}

/// The loss and the first metric.
fn measured(evaluator: &Evaluator) -> Result<Vec<Measured>> {
    let evaluation = evaluator.evaluate()?;
    let first = evaluation.metrics.into_iter().next();
    let loss = Measured { name: "loss".to_owned(), value: evaluation.loss };
    Ok(std::iter::once(loss).chain(first.map(|(name, value)| Measured { name, value })).collect())
}
