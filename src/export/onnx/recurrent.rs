//! Recurrent layers: <https://onnx.ai/onnx/operators/onnx__LSTM.html>, <https://onnx.ai/onnx/operators/onnx__GRU.html>.

use super::graph::Graph;
use super::proto::{Attribute, Constant};
use crate::error::{Error, Result};
use crate::export::model::{TrainedModel, Weights};
use crate::nn::{Activation, CellKind, CellTensors};

/// A layer's cell, size and tensors.
pub(super) struct Layer<'a> {
    pub(super) kind: CellKind,
    pub(super) hidden: usize,
    pub(super) directions: &'a [CellTensors],
}

/// Adds a layer from (T, N, F) to (T, N, H · directions). Initial states are left out: they are 0 for any batch.
pub(super) fn add(graph: &mut Graph, model: &TrainedModel, xs: &str, layer: &Layer<'_>) -> Result<String> {
    let Layer { kind, hidden, directions } = layer;
    let [input, state, bias] = constants(graph, model, layer)?;
    let direction = if directions.len() == 2 { "bidirectional" } else { "forward" };
    let mut attributes =
        vec![Attribute::int("hidden_size", size(*hidden)?), Attribute::string("direction", direction)];
    let op = match kind {
        CellKind::Elman(activation) => {
            let names = vec![name(*activation)?.to_owned(); directions.len()];
            attributes.push(Attribute::strings("activations", names));
            "RNN"
        }
        CellKind::Gru => {
            // torch multiplies by the reset gate behind the product.
            attributes.push(Attribute::int("linear_before_reset", 1));
            "GRU"
        }
        CellKind::Lstm => "LSTM",
    };
    // (T, directions, N, H)
    let states = graph.node(op, &[xs, &input, &state, &bias], &attributes);
    let states = graph.node("Transpose", &[&states], &[Attribute::ints("perm", &[0, 2, 1, 3])]);
    let shape = graph.ints("states", &[0, 0, size(directions.len() * hidden)?]);
    Ok(graph.node("Reshape", &[&states, &shape], &[]))
}

/// The operator's W, R and B.
fn constants(graph: &mut Graph, model: &TrainedModel, layer: &Layer<'_>) -> Result<[String; 3]> {
    let Layer { kind, hidden, directions } = layer;
    let order = match kind {
        CellKind::Elman(_) => [0].as_slice(),
        // torch: input, forget, cell, output. ONNX: input, output, forget, cell.
        CellKind::Lstm => [0, 3, 1, 2].as_slice(),
        // torch: reset, update, new. ONNX: update, reset, hidden.
        CellKind::Gru => [1, 0, 2].as_slice(),
    };
    let (mut input, mut state, mut bias) = (Vec::new(), Vec::new(), Vec::new());
    let mut features = 0;
    for CellTensors { weight_ih, weight_hh, bias_ih, bias_hh } in *directions {
        let [ih, hh] = [model.tensor(weight_ih)?, model.tensor(weight_hh)?];
        features = ih.shape[1];
        input.extend(reordered(&ih, order));
        state.extend(reordered(&hh, order));
        for name in [bias_ih, bias_hh] {
            bias.extend(reordered(&model.tensor(name)?, order));
        }
    }
    let (count, rows) = (directions.len(), order.len() * hidden);
    let prefix = directions.first().map_or("", |cell| cell.weight_ih.as_str());
    let mut constant = |part: &str, shape: &[usize], values: &[f32]| {
        graph.constant(&format!("{prefix}.{part}"), shape, &Constant::Floats(values))
    };
    Ok([
        constant("W", &[count, rows, features], &input),
        constant("R", &[count, rows, *hidden], &state),
        constant("B", &[count, 2 * rows], &bias),
    ])
}

fn size(size: usize) -> Result<i64> {
    i64::try_from(size).map_err(|_| Error::Config("--to onnx: a layer is too large".to_owned()))
}

/// The blocks of a tensor's rows, one a gate, in another order.
fn reordered(Weights { values, .. }: &Weights, order: &[usize]) -> Vec<f32> {
    let block = values.len() / order.len();
    order.iter().flat_map(|gate| values[gate * block..(gate + 1) * block].iter().copied()).collect()
}

fn name(activation: Activation) -> Result<&'static str> {
    match activation {
        Activation::Tanh => Ok("Tanh"),
        Activation::Relu => Ok("Relu"),
        other => Err(Error::Config(format!(
            "--to onnx: an RNN with `{}` states is not in the format",
            other.name()
        ))),
    }
}
