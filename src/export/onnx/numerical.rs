//! Embeddings of numerical features as nodes.

use super::constants::{tensor, whole};
use super::graph::Graph;
use super::proto::{Attribute, Constant};
use crate::error::Result;
use crate::export::fold::narrow;
use crate::export::model::{TrainedModel, Weights};
use crate::nn::NumericalOp;

/// The columns of the input.
pub(super) struct Columns<'a> {
    /// Those that are embedded.
    pub(super) places: &'a [usize],
    /// The others.
    pub(super) others: &'a [usize],
}

/// Adds the embeddings of some columns of a value (N, W), in front of the others.
pub(super) fn add(
    graph: &mut Graph,
    model: &TrainedModel,
    value: &str,
    columns: &Columns<'_>,
    embedding: &NumericalOp,
) -> Result<String> {
    let features = gather(graph, value, columns.places)?;
    let axes = graph.ints("axes", &[2]);
    // (N, F, 1)
    let numbers = graph.node("Unsqueeze", &[&features, &axes], &[]);
    let mut parts = vec![embed(graph, model, &numbers, embedding)?];
    if matches!(embedding, NumericalOp::Periodic { is_dense: true, .. }) {
        parts.push(features);
    }
    if !columns.others.is_empty() {
        parts.push(gather(graph, value, columns.others)?);
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    Ok(graph.node("Concat", &parts, &[Attribute::int("axis", 1)]))
}

/// The embeddings (N, F · D) of numbers (N, F, 1).
fn embed(graph: &mut Graph, model: &TrainedModel, numbers: &str, embedding: &NumericalOp) -> Result<String> {
    match embedding {
        NumericalOp::Periodic { weight, bias, linear: [matrix, term], has_relu, .. } => {
            let components = periodic(graph, model, numbers, [Some(weight), bias.as_ref()])?;
            let own = linear(graph, model, &components, [matrix, term])?;
            Ok(if *has_relu { graph.node("Relu", &[&own], &[]) } else { own })
        }
        NumericalOp::PiecewiseLinear { slopes, offsets, linear0, weight, bias, has_relu, .. } => {
            let components = bins(graph, model, numbers, [slopes, offsets])?;
            let own = match bias {
                Some(bias) => linear(graph, model, &components, [weight, bias])?,
                None => products(graph, model, &components, weight)?,
            };
            let own = if *has_relu { graph.node("Relu", &[&own], &[]) } else { own };
            let Some([weight, bias]) = linear0 else { return Ok(own) };
            let (weight, bias) = (tensor(graph, model, weight)?, tensor(graph, model, bias)?);
            let scaled = graph.node("Mul", &[numbers, &weight], &[]);
            let added = graph.node("Add", &[&scaled, &bias], &[]);
            let added = flatten(graph, &added);
            Ok(graph.node("Add", &[&own, &added], &[]))
        }
    }
}

/// These columns of (N, W).
fn gather(graph: &mut Graph, value: &str, places: &[usize]) -> Result<String> {
    let places: Vec<i64> = places.iter().map(|place| whole(*place)).collect::<Result<_>>()?;
    let places = graph.ints("columns", &places);
    Ok(graph.node("Gather", &[value, &places], &[Attribute::int("axis", 1)]))
}

/// (N, F, D) as (N, F · D).
fn flatten(graph: &mut Graph, value: &str) -> String {
    graph.node("Flatten", &[value], &[Attribute::int("axis", 1)])
}

/// Cosines and sines of (N, F, 1): (N, F, J).
fn periodic(
    graph: &mut Graph,
    model: &TrainedModel,
    numbers: &str,
    [weight, bias]: [Option<&String>; 2],
) -> Result<String> {
    let weight = tensor(graph, model, weight.map_or("", String::as_str))?;
    let turn = graph.float("turn", narrow(2.0 * std::f64::consts::PI));
    let scaled = graph.node("Mul", &[numbers, &weight], &[]);
    let angles = graph.node("Mul", &[&scaled, &turn], &[]);
    if let Some(bias) = bias {
        let bias = tensor(graph, model, bias)?;
        let angles = graph.node("Add", &[&angles, &bias], &[]);
        return Ok(graph.node("Cos", &[&angles], &[]));
    }
    let (cosines, sines) = (graph.node("Cos", &[&angles], &[]), graph.node("Sin", &[&angles], &[]));
    Ok(graph.node("Concat", &[&cosines, &sines], &[Attribute::int("axis", 2)]))
}

/// The parts of bins below (N, F, 1): (N, F, B).
fn bins(
    graph: &mut Graph,
    model: &TrainedModel,
    numbers: &str,
    [slopes, offsets]: [&String; 2],
) -> Result<String> {
    let Weights { shape, values } = model.tensor(slopes)?;
    let components = shape[1];
    let (mut low, mut high) = (vec![0f32; values.len()], vec![1f32; values.len()]);
    let rows = low.chunks_exact_mut(components).zip(high.chunks_exact_mut(components));
    for (own, (low, high)) in values.chunks_exact(components).zip(rows) {
        // No number is beyond these; the first and the last bin go on.
        low[0] = f32::MIN;
        high[components - 1] = f32::MAX;
        if own[..components - 1].iter().all(|slope| *slope == 0.0) {
            low[components - 1] = f32::MIN;
        }
    }
    let (slopes, offsets) = (tensor(graph, model, slopes)?, tensor(graph, model, offsets)?);
    let raw = graph.node("Mul", &[numbers, &slopes], &[]);
    let raw = graph.node("Add", &[&raw, &offsets], &[]);
    let low = graph.constant("bins.low", &shape, &Constant::Floats(&low));
    let high = graph.constant("bins.high", &shape, &Constant::Floats(&high));
    let raised = graph.node("Max", &[&raw, &low], &[]);
    Ok(graph.node("Min", &[&raised, &high], &[]))
}

/// The products (N, F · D) of each feature's components (N, F, J) with its matrix.
fn products(graph: &mut Graph, model: &TrainedModel, components: &str, weight: &str) -> Result<String> {
    let weight = tensor(graph, model, weight)?;
    let axes = graph.ints("axes", &[2]);
    // (N, F, 1, J) times (F, J, D).
    let rows = graph.node("Unsqueeze", &[components, &axes], &[]);
    let products = graph.node("MatMul", &[&rows, &weight], &[]);
    Ok(flatten(graph, &products))
}

/// The same, and the bias (F, D).
fn linear(
    graph: &mut Graph,
    model: &TrainedModel,
    components: &str,
    [weight, bias]: [&String; 2],
) -> Result<String> {
    let products = products(graph, model, components, weight)?;
    let Weights { values, .. } = model.tensor(bias)?;
    let bias = graph.constant(bias, &[values.len()], &Constant::Floats(&values));
    Ok(graph.node("Add", &[&products, &bias], &[]))
}
