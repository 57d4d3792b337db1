//! One ONNX file: raw columns in, predictions in the targets' names and units out. <https://onnx.ai/onnx/repo-docs/IR.html>
//!
//! The messages are written by [`crate::protobuf`], as those of TensorBoard are: the format needs a dozen of them, and
//! crates that write it leave out attributes that are 0, which the checker wants.

mod calendar;
mod constants;
mod graph;
mod network;
mod numerical;
mod outputs;
mod parts;
mod preprocessing;
mod proto;
mod recurrent;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::arrays::npz;
use super::batch::TestBatch;
use super::inputs::{CellKind, Inputs, TENSOR};
use super::model::TrainedModel;
use super::outputs as names;
use crate::error::{Error, Result};
use crate::files::{self, Local};
use graph::Graph;
use proto::Property;

/// Writes `output`, and beside it `NAME.test.npz` with a test batch and the outputs that are expected.
pub(super) fn write(model: &TrainedModel, output: &Path) -> Result<Vec<PathBuf>> {
    let inputs = Inputs::of(model.preprocessing(), &names::NAMES);
    let bytes = encode(model, &inputs)?;
    let TestBatch { inputs, outputs } = TestBatch::new(model, &inputs)?;
    let test = output.with_extension("test.npz");
    let batch = npz(&[inputs, outputs].concat()).map_err(Error::io("write", &test))?;
    files::write(&Local, &test, &batch)?;
    files::write(&Local, output, &bytes).inspect_err(|_| {
        let _ = std::fs::remove_file(&test);
    })?;
    Ok(vec![output.to_path_buf(), test])
}

/// The bytes of the file. No path of this machine is in it.
pub(super) fn encode(model: &TrainedModel, inputs: &Inputs<'_>) -> Result<Vec<u8>> {
    model.require_no_quantiles("onnx")?;
    let mut graph = Graph::new(&names::NAMES);
    let encoded = preprocessing::add(&mut graph, model.preprocessing(), inputs);
    let members = model.members.iter().map(|ops| network::add(&mut graph, model, ops, &encoded));
    let values: Vec<String> = members.collect::<Result<_>>()?;
    outputs::add(&mut graph, model, &values, encoded.last.as_deref());
    let bytes = proto::model(&graph.message(&model.config.name()), &properties(model, inputs)?);
    // A message has at most 2 GiB.
    if i32::try_from(bytes.len()).is_err() {
        return Err(Error::Config(format!(
            "--to onnx: the file would have {} bytes; 2 GiB are the most",
            bytes.len()
        )));
    }
    Ok(bytes)
}

/// What `metadata_props` holds.
fn properties(model: &TrainedModel, inputs: &Inputs<'_>) -> Result<Vec<Property>> {
    let columns: Vec<Value> = inputs
        .columns()
        .iter()
        .map(|input| {
            // The numbers of a series are in one tensor.
            let is_part = matches!(inputs, Inputs::Series { .. }) && !input.kind.is_text();
            let name = if is_part { TENSOR } else { &input.name };
            let mut column = json!({
                "name": input.column.name, "input": name, "kind": input.kind.name(),
                "preprocessing": input.column.describe(),
            });
            if let CellKind::Date(form) = input.kind {
                column["form"] = form.name().into();
                column["unit"] = "days since 1970-01-01 UTC".into();
            }
            if input.kind.is_text() {
                column["cells"] = "text without blanks around it: strip cells first, as descent does".into();
            }
            column
        })
        .collect();
    let outputs = names::names(&model.columns());
    let is_values = matches!(model.columns(), crate::run::Columns::Values { .. });
    let named = if is_values { "targets" } else { "classes" };
    Ok(vec![
        Property { key: "columns", value: Value::from(columns).to_string() },
        Property { key: named, value: Value::from(outputs).to_string() },
        Property { key: "config", value: model.config.to_shared_toml()? },
    ])
}
