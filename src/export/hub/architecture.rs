//! `config.json`: the layers with their sizes and tensors, the inputs, and the names of the classes or values.

use serde_json::{Map, Value, json};

use crate::export::inputs::Inputs;
use crate::export::model::TrainedModel;
use crate::export::outputs;
use crate::nn::{CellKind, CellTensors, EmbeddingTable, NumericalOp, Op};
use crate::run::Columns;

/// The text of `config.json`.
pub(super) fn json(model: &TrainedModel, inputs: &Inputs<'_>) -> String {
    let mut config = Map::new();
    let mut insert = |key: &str, value: Value| config.insert(key.to_owned(), value);
    insert("model_type", model.config.model.name().into());
    insert("library", env!("CARGO_CRATE_NAME").into());
    insert("library_version", env!("CARGO_PKG_VERSION").into());
    insert("num_parameters", model.predictor.network().params().count().into());
    insert("input_shape", json!(model.preprocessing().row));
    insert("output_size", json!(model.config.loss.width(model.preprocessing().outputs)));
    insert("loss", model.config.loss.name().into());
    let columns = inputs.columns().iter();
    let columns = columns.map(|input| json!({ "name": input.column.name, "kind": input.kind.name() }));
    insert("columns", columns.collect());
    let names = outputs::names(&model.columns());
    match model.columns() {
        Columns::Classes { .. } => {
            insert("problem_type", "single_label_classification".into());
            let ids = (0..).zip(&names).map(|(id, name): (u32, _)| (id.to_string(), name.as_str().into()));
            insert("id2label", Value::Object(ids.collect()));
            let names = (0..).zip(&names).map(|(id, name): (u32, _)| (name.clone(), id.into()));
            insert("label2id", Value::Object(names.collect()));
        }
        Columns::Labels { columns, words } => {
            insert("problem_type", "multi_label_classification".into());
            let labels = columns.iter().step_by(2).zip(words);
            let labels = labels.map(|(column, [no, yes])| json!({ "name": column, "no": no, "yes": yes }));
            insert("labels", labels.collect());
        }
        Columns::Values { .. } => {
            insert("problem_type", "regression".into());
            insert("outputs", json!(names));
        }
    }
    config.extend(layers(model));
    format!("{:#}\n", Value::Object(config))
}

/// The layers; of a bag the members, whose predictions are averaged, with the layers of each.
fn layers(model: &TrainedModel) -> Map<String, Value> {
    let layers = |ops: &Vec<Op>| {
        let layers = ops.iter().map(layer).collect();
        Map::from_iter([("layers".to_owned(), layers)])
    };
    match model.members.as_slice() {
        [ops] => layers(ops),
        members => {
            let members = members.iter().map(|ops| Value::Object(layers(ops))).collect();
            Map::from_iter([("members".to_owned(), members)])
        }
    }
}

/// A layer with the names of its tensors.
fn layer(op: &Op) -> Value {
    match op {
        Op::Linear { weight, bias, inputs, outputs, activation } => json!({
            "type": "linear", "inputs": inputs, "outputs": outputs, "activation": activation,
            "tensors": [weight, bias],
        }),
        Op::BatchNorm {
            weight,
            bias,
            running_mean,
            running_var,
            num_batches_tracked,
            channels,
            eps,
            momentum,
        } => {
            json!({
                "type": "batch_norm", "channels": channels, "eps": eps, "momentum": momentum,
                "tensors": [weight, bias, running_mean, running_var, num_batches_tracked],
            })
        }
        Op::LayerNorm { weight, bias, width, eps } => {
            json!({ "type": "layer_norm", "width": width, "eps": eps, "tensors": [weight, bias] })
        }
        Op::Activation(activation) => json!({ "type": "activation", "activation": activation }),
        Op::Dropout { p } => json!({ "type": "dropout", "p": p }),
        Op::TimeMajor => json!({ "type": "time_major" }),
        Op::Recurrent { kind, index, features, hidden, directions } => recurrent(
            *kind,
            directions,
            &json!({ "index": index, "features": features, "hidden_size": hidden }),
        ),
        Op::Embeddings { dense, tables } => {
            let tables: Vec<Value> = tables.iter().map(table).collect();
            json!({ "type": "embeddings", "dense": dense, "tables": tables })
        }
        _ => part(op),
    }
}

/// The part of a sequence that is read, or a part that an MLP may have besides its products.
fn part(op: &Op) -> Value {
    match op {
        Op::LastStep => json!({ "type": "last_step" }),
        Op::MeanOfSteps => json!({ "type": "mean_of_steps" }),
        Op::Numerical { places, others, embedding } => numerical(places, others, embedding),
        Op::EnsembleScale { weight, members, width } => {
            json!({ "type": "ensemble_scale", "members": members, "width": width, "tensors": [weight] })
        }
        Op::EnsembleLinear { weight, bias, sizes: [members, inputs, outputs] } => json!({
            "type": "ensemble_linear", "members": members, "inputs": inputs, "outputs": outputs, "tensors": [weight, bias],
        }),
        Op::Scale { weight, width } => json!({ "type": "scale", "width": width, "tensors": [weight] }),
        Op::ParametricActivation { weight, width, activation } => json!({
            "type": "parametric_activation", "width": width, "activation": activation, "tensors": [weight],
        }),
        _ => Value::Null,
    }
}

/// Embeddings of the columns at these places.
fn numerical(places: &[usize], others: &[usize], embedding: &NumericalOp) -> Value {
    let mut layer = match embedding {
        NumericalOp::Periodic { weight, bias, linear, sizes, has_relu, is_dense } => {
            let tensors: Vec<&String> = std::iter::once(weight).chain(bias).chain(linear).collect();
            json!({
                "type": "periodic", "relu": has_relu, "dense": is_dense, "sizes": sizes, "tensors": tensors,
            })
        }
        NumericalOp::PiecewiseLinear { slopes, offsets, linear0, weight, bias, sizes, has_relu } => {
            let linear0 = linear0.iter().flatten();
            let tensors: Vec<&String> =
                [slopes, offsets].into_iter().chain(linear0).chain([weight]).chain(bias).collect();
            json!({ "type": "piecewise_linear", "relu": has_relu, "sizes": sizes, "tensors": tensors })
        }
    };
    if let Some(layer) = layer.as_object_mut() {
        layer.insert("columns".to_owned(), json!(places));
        layer.insert("other_columns".to_owned(), json!(others));
    }
    layer
}

fn table(EmbeddingTable { weight, names, length }: &EmbeddingTable) -> Value {
    json!({ "names": names, "length": length, "tensor": weight })
}

/// A recurrent layer of these sizes.
fn recurrent(kind: CellKind, directions: &[CellTensors], sizes: &Value) -> Value {
    let (name, activation) = match kind {
        CellKind::Elman(activation) => ("rnn", Some(activation)),
        CellKind::Lstm => ("lstm", None),
        CellKind::Gru => ("gru", None),
    };
    let tensors = directions.iter().flat_map(|CellTensors { weight_ih, weight_hh, bias_ih, bias_hh }| {
        [weight_ih, weight_hh, bias_ih, bias_hh]
    });
    let tensors: Vec<&String> = tensors.collect();
    let mut layer = json!({ "type": name, "bidirectional": directions.len() == 2 });
    if let (Some(layer), Some(sizes)) = (layer.as_object_mut(), sizes.as_object()) {
        layer.extend(sizes.clone());
        layer.extend(activation.map(|activation| ("activation".to_owned(), json!(activation))));
        layer.insert("tensors".to_owned(), json!(tensors));
    }
    layer
}
