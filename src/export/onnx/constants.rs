//! Tensors and sizes as constants.

use super::graph::Graph;
use super::proto::Constant;
use crate::error::{Error, Result};
use crate::export::model::{TrainedModel, Weights};

/// A tensor of the state dict as a constant.
pub(super) fn tensor(graph: &mut Graph, model: &TrainedModel, name: &str) -> Result<String> {
    let Weights { shape, values } = model.tensor(name)?;
    Ok(graph.constant(name, &shape, &Constant::Floats(&values)))
}

/// A size as ONNX has it.
pub(super) fn whole(size: usize) -> Result<i64> {
    i64::try_from(size).map_err(|_| Error::Config("--to onnx: a row is too large".to_owned()))
}
