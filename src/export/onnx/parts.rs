//! The parts that an MLP may have besides its products: scales, members of an ensemble, embeddings of numbers.

use super::constants::{tensor, whole};
use super::graph::Graph;
use super::numerical;
use crate::error::Result;
use crate::export::model::TrainedModel;
use crate::nn::Op;

/// Adds a part; another layer changes nothing.
pub(super) fn add(graph: &mut Graph, model: &TrainedModel, op: &Op, value: String) -> Result<String> {
    Ok(match op {
        Op::Numerical { places, others, embedding } => {
            numerical::add(graph, model, &value, &numerical::Columns { places, others }, embedding)?
        }
        Op::EnsembleScale { weight, width, .. } => {
            let weight = tensor(graph, model, weight)?;
            let axes = graph.ints("axes", &[1]);
            let rows = graph.node("Unsqueeze", &[&value, &axes], &[]);
            let scaled = graph.node("Mul", &[&rows, &weight], &[]);
            let shape = graph.ints("rows", &[-1, whole(*width)?]);
            graph.node("Reshape", &[&scaled, &shape], &[])
        }
        Op::EnsembleLinear { weight, bias, sizes: [members, inputs, outputs] } => {
            // (N, M, 1, in) times (M, in, out).
            let shape = graph.ints("members", &[-1, whole(*members)?, 1, whole(*inputs)?]);
            let rows = graph.node("Reshape", &[&value, &shape], &[]);
            let weight = tensor(graph, model, weight)?;
            let products = graph.node("MatMul", &[&rows, &weight], &[]);
            let shape = graph.ints("outputs", &[-1, whole(*members)?, whole(*outputs)?]);
            let products = graph.node("Reshape", &[&products, &shape], &[]);
            let bias = tensor(graph, model, bias)?;
            graph.node("Add", &[&products, &bias], &[])
        }
        Op::Scale { weight, .. } => {
            let weight = tensor(graph, model, weight)?;
            graph.node("Mul", &[&value, &weight], &[])
        }
        _ => value,
    })
}

/// `x + weight (activated - x)`
pub(super) fn mix(
    graph: &mut Graph,
    model: &TrainedModel,
    x: &str,
    activated: &str,
    weight: &str,
) -> Result<String> {
    let weight = tensor(graph, model, weight)?;
    let difference = graph.node("Sub", &[activated, x], &[]);
    let part = graph.node("Mul", &[&difference, &weight], &[]);
    Ok(graph.node("Add", &[x, &part], &[]))
}
