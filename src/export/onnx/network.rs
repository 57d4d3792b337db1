//! The layers as nodes.

use super::constants::{tensor, whole};
use super::graph::Graph;
use super::parts;
use super::preprocessing::Encoded;
use super::proto::{Attribute, Constant, ElementType};
use super::recurrent;
use crate::error::Result;
use crate::export::fold::{Linear, Scaling, narrow, narrowed};
use crate::export::model::{TrainedModel, Weights};
use crate::nn::{Activation, EmbeddingTable, Op};

/// Adds the layers of a network; gives its values (N, K).
pub(super) fn add(graph: &mut Graph, model: &TrainedModel, ops: &[Op], encoded: &Encoded) -> Result<String> {
    let mut value = input(graph, model, ops, encoded)?;
    let mut ops = ops.iter().peekable();
    while let Some(op) = ops.next() {
        let Op::Linear { weight, bias, activation, .. } = op else {
            value = layer(graph, model, op, value)?;
            continue;
        };
        let mut linear = Linear { weight: model.tensor(weight)?, bias: model.tensor(bias)? };
        if activation.is_none()
            && let Some(norm) = ops.next_if(|next| matches!(next, Op::BatchNorm { .. }))
        {
            linear.scale(&Scaling::of(model, norm)?);
        }
        value = product(graph, &linear, [weight, bias], &value);
        if let Some(activation) = activation {
            value = activate(graph, *activation, &value);
        }
    }
    Ok(value)
}

/// Adds a layer that is no product.
fn layer(graph: &mut Graph, model: &TrainedModel, op: &Op, value: String) -> Result<String> {
    Ok(match op {
        // Embeddings were applied to the input.
        Op::Embeddings { .. } | Op::Dropout { .. } | Op::Linear { .. } => value,
        Op::BatchNorm { weight, bias, .. } => {
            let Scaling { factor, term } = Scaling::of(model, op)?;
            let mut vector = |name: &str, numbers: &[f32]| {
                graph.constant(name, &[numbers.len()], &Constant::Floats(numbers))
            };
            let (factor, term) = (vector(weight, &narrowed(&factor)), vector(bias, &narrowed(&term)));
            let scaled = graph.node("Mul", &[&value, &factor], &[]);
            graph.node("Add", &[&scaled, &term], &[])
        }
        Op::LayerNorm { weight, bias, eps, .. } => {
            let (weight, bias) = (tensor(graph, model, weight)?, tensor(graph, model, bias)?);
            let attributes = [Attribute::int("axis", -1), Attribute::float("epsilon", narrow(*eps))];
            graph.node("LayerNormalization", &[&value, &weight, &bias], &attributes)
        }
        Op::ParametricActivation { weight, activation, .. } => {
            let activated = activate(graph, *activation, &value);
            parts::mix(graph, model, &value, &activated, weight)?
        }
        Op::Activation(activation) => activate(graph, *activation, &value),
        Op::TimeMajor => graph.node("Transpose", &[&value], &[Attribute::ints("perm", &[1, 0, 2])]),
        Op::Recurrent { kind, hidden, directions, .. } => {
            let layer = recurrent::Layer { kind: *kind, hidden: *hidden, directions };
            recurrent::add(graph, model, &value, &layer)?
        }
        Op::LastStep => {
            let last = graph.constant("last", &[], &Constant::Ints(&[-1]));
            graph.node("Gather", &[&value, &last], &[Attribute::int("axis", 0)])
        }
        Op::MeanOfSteps => {
            let attributes = [Attribute::ints("axes", &[0]), Attribute::int("keepdims", 0)];
            graph.node("ReduceMean", &[&value], &attributes)
        }
        _ => parts::add(graph, model, op, value)?,
    })
}

/// The rows in the shape that the layers read, with learnt vectors in place of the numbers of names.
fn input(graph: &mut Graph, model: &TrainedModel, ops: &[Op], encoded: &Encoded) -> Result<String> {
    let row = &model.preprocessing().row;
    let mut shape = vec![-1];
    for dim in row {
        shape.push(whole(*dim)?);
    }
    let mut parts: Vec<String> = encoded.dense.iter().cloned().collect();
    if let Some(Op::Embeddings { dense, tables }) = ops.first() {
        let steps = row.iter().product::<usize>() / (dense + tables.len()).max(1);
        let width = dense + tables.iter().map(|table| table.length).sum::<usize>();
        let all = if row.len() == 1 { steps * width } else { width };
        shape.pop();
        shape.push(whole(all)?);
        for (EmbeddingTable { weight, .. }, index) in tables.iter().zip(&encoded.indices) {
            let table = tensor(graph, model, weight)?;
            parts.push(graph.node("Gather", &[&table, index], &[Attribute::int("axis", 0)]));
        }
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let all = graph.node("Concat", &parts, &[Attribute::int("axis", -1)]);
    let shape = graph.ints("row", &shape);
    Ok(graph.node("Reshape", &[&all, &shape], &[]))
}

/// The product as a node; its constants have the tensors' names.
fn product(graph: &mut Graph, linear: &Linear, names: [&str; 2], value: &str) -> String {
    let mut constant = |name: &str, Weights { shape, values }: &Weights| {
        graph.constant(name, shape, &Constant::Floats(values))
    };
    let (weight, bias) = (constant(names[0], &linear.weight), constant(names[1], &linear.bias));
    graph.node("Gemm", &[value, &weight, &bias], &[Attribute::int("transB", 1)])
}

/// An activation of every element.
fn activate(graph: &mut Graph, activation: Activation, x: &str) -> String {
    let alpha = |alpha| Attribute::float("alpha", alpha);
    match activation {
        Activation::Relu => graph.node("Relu", &[x], &[]),
        Activation::Tanh => graph.node("Tanh", &[x], &[]),
        Activation::Sigmoid => graph.node("Sigmoid", &[x], &[]),
        Activation::LeakyRelu => graph.node("LeakyRelu", &[x], &[alpha(0.01)]),
        Activation::Elu => graph.node("Elu", &[x], &[alpha(1.0)]),
        Activation::Selu => {
            // torch's constants: Klambauer et al. 2017.
            let gamma = Attribute::float("gamma", 1.050_701);
            graph.node("Selu", &[x], &[alpha(1.673_263_2), gamma])
        }
        Activation::Silu => {
            let sigmoid = graph.node("Sigmoid", &[x], &[]);
            graph.node("Mul", &[x, &sigmoid], &[])
        }
        // The operator Mish came with opset 18.
        Activation::Mish => {
            let softplus = graph.node("Softplus", &[x], &[]);
            let tanh = graph.node("Tanh", &[&softplus], &[]);
            graph.node("Mul", &[x, &tanh], &[])
        }
        // The operator Gelu came with opset 20.
        Activation::Gelu => {
            let scale = graph.float("half_root", std::f32::consts::FRAC_1_SQRT_2);
            let (half, one) = (graph.float("half", 0.5), graph.float("one", 1.0));
            let scaled = graph.node("Mul", &[x, &scale], &[]);
            let erf = graph.node("Erf", &[&scaled], &[]);
            let twice = graph.node("Add", &[&erf, &one], &[]);
            let phi = graph.node("Mul", &[&twice, &half], &[]);
            graph.node("Mul", &[x, &phi], &[])
        }
    }
}

/// A value in f64.
pub(super) fn widen(graph: &mut Graph, value: &str) -> String {
    graph.cast(value, ElementType::Double)
}
