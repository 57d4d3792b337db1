//! The layers of a network for people.

use super::model::TrainedModel;
use crate::names::counted;
use crate::nn::{CellKind, NumericalOp, Op};

/// The layers in a line.
pub(super) fn line(model: &TrainedModel) -> String {
    let layers: Vec<String> = model.ops.iter().map(layer).filter(|layer| !layer.is_empty()).collect();
    let of_members = match model.members.len() {
        0 | 1 => String::new(),
        count => format!("of each of {count} networks, whose predictions are averaged: "),
    };
    format!("{of_members}{}.", layers.join(", "))
}

/// A layer; nothing for one that changes no value.
fn layer(op: &Op) -> String {
    match op {
        Op::Linear { inputs, outputs, activation, .. } => {
            let activation =
                activation.map_or_else(String::new, |activation| format!(" {}", activation.name()));
            format!("linear {inputs} to {outputs}{activation}")
        }
        Op::BatchNorm { .. } => "batch_norm".to_owned(),
        Op::LayerNorm { .. } => "layer_norm".to_owned(),
        Op::Numerical { places, embedding, .. } => {
            let name = match embedding {
                NumericalOp::Periodic { .. } => "periodic",
                NumericalOp::PiecewiseLinear { .. } => "piecewise_linear",
            };
            format!("{name} embeddings of {}", counted(places.len(), "feature"))
        }
        Op::EnsembleScale { members, .. } => format!("{} with a scale each", counted(*members, "member")),
        Op::EnsembleLinear { sizes: [_, inputs, outputs], .. } => {
            format!("linear {inputs} to {outputs} of each member")
        }
        Op::Scale { .. } => "scale".to_owned(),
        Op::ParametricActivation { activation, .. } => format!("parametric {}", activation.name()),
        Op::Activation(activation) => activation.name().to_owned(),
        Op::Recurrent { kind, features, hidden, directions, .. } => {
            let kind = match kind {
                CellKind::Elman(_) => "rnn",
                CellKind::Lstm => "lstm",
                CellKind::Gru => "gru",
            };
            let both = if directions.len() == 2 { " in both directions" } else { "" };
            format!("{kind} {features} to {hidden}{both}")
        }
        Op::LastStep => "last step".to_owned(),
        Op::MeanOfSteps => "mean of steps".to_owned(),
        Op::Embeddings { tables, .. } => format!("{} tables of vectors", tables.len()),
        Op::Dropout { .. } | Op::TimeMajor => String::new(),
    }
}
