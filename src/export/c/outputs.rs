//! From the network's values to the outputs.

use std::fmt::Write;

use super::helpers::Helper;
use super::network::Network;
use super::text::{double, quoted};
use crate::data::Decision;
use crate::data::preprocess::{TargetCurve, TargetScale};
use crate::export::model::TrainedModel;
use crate::loss::{NetworkOutput, Variance};
use crate::run::Columns;

/// How many outputs a model has.
pub(super) fn count(model: &TrainedModel) -> usize {
    let outputs = model.preprocessing().outputs;
    match model.columns() {
        Columns::Classes { names, .. } => names.len(),
        Columns::Labels { words, .. } => words.len(),
        Columns::Values { .. } if model.output().has_deviation() => 2 * outputs,
        Columns::Values { .. } => outputs,
    }
}

/// Adds the statements that take the predictions of a member of a bag into their sum.
pub(super) fn add_member(model: &TrainedModel, number: usize, network: &mut Network) {
    // Of logarithms of probabilities the probabilities are averaged.
    if model.output() == NetworkOutput::LogProbabilities {
        network.in_place(Helper::Softmax, "softmax(");
    } else {
        normalize(model, network);
    }
    let (outputs, sign) = (model.preprocessing().outputs, if number == 0 { "=" } else { "+=" });
    let prediction = prediction(model, network, "i");
    let _ = writeln!(
        network.body,
        "    for (int i = 0; i < {outputs}; i++)\n        sum[i] {sign} {prediction};"
    );
}

/// Adds the statements that fill `out`.
pub(super) fn add(model: &TrainedModel, network: &mut Network) {
    let outputs = model.preprocessing().outputs;
    if !model.is_bag() {
        normalize(model, network);
    }
    let mut element = |place: &str| match model.output() {
        _ if !model.is_bag() => prediction(model, network, place),
        NetworkOutput::LogProbabilities => format!("logf({})", mean(model, place)),
        _ => mean(model, place),
    };
    let is_pair =
        matches!(model.columns(), Columns::Classes { names, .. } if names.len() == 2 && outputs == 1);
    let statement = if is_pair {
        format!("out[1] = {};\n    out[0] = 1.0f - out[1];", element("0"))
    } else {
        let all = format!("for (int i = 0; i < {outputs}; i++)\n        out[i] = ");
        all + &in_units(model, &element("i"), true) + ";"
    };
    let _ = writeln!(network.body, "    {statement}");
    if let NetworkOutput::MeanAndVariance(variance) = model.output() {
        deviations(model, variance, network);
    }
}

/// Makes logits of classes probabilities, in their place.
fn normalize(model: &TrainedModel, network: &mut Network) {
    match model.output() {
        NetworkOutput::ClassLogits => network.in_place(Helper::Softmax, "softmax("),
        NetworkOutput::LogProbabilities => network.in_place(Helper::LogSoftmax, "log_softmax("),
        NetworkOutput::LabelLogits
        | NetworkOutput::Values
        | NetworkOutput::LogValues
        | NetworkOutput::MeanAndVariance(_) => {}
    }
}

/// The prediction at a place, of values that are normalized.
fn prediction(model: &TrainedModel, network: &mut Network, place: &str) -> String {
    let element = format!("{}[{place}]", network.value());
    match model.output() {
        NetworkOutput::LabelLogits => {
            network.helpers.add(Helper::Sigmoid);
            format!("sigmoid({element})")
        }
        NetworkOutput::LogValues => format!("expf({element})"),
        _ => element,
    }
}

/// The mean of the members' predictions at a place.
fn mean(model: &TrainedModel, place: &str) -> String {
    format!("sum[{place}] / {}.0f", model.members.len())
}

/// The standard deviations behind the values.
fn deviations(model: &TrainedModel, variance: Variance, network: &mut Network) {
    let outputs = model.preprocessing().outputs;
    let own = match variance {
        Variance::Exp => "expf",
        Variance::Softplus => {
            network.helpers.add(Helper::Softplus);
            "softplus"
        }
    };
    let value = format!("sqrtf({own}({}[{outputs} + i]))", network.value());
    let value = in_units(model, &value, false);
    let _ = writeln!(
        network.body,
        "    for (int i = 0; i < {outputs}; i++)\n        out[{outputs} + i] = {value};"
    );
}

/// The numbers of a transformation of several targets, by their names in the source.
pub(super) fn vectors(scale: &TargetScale) -> Vec<(&'static str, Vec<f64>)> {
    let of_range = |place: usize| scale.range.iter().map(|range| range[place]).collect();
    let all = [
        ("mean", scale.mean.clone()),
        ("std", scale.std.clone()),
        ("min", of_range(0)),
        ("max", of_range(1)),
    ];
    all.into_iter().filter(|(_, numbers): &(_, Vec<f64>)| !numbers.is_empty()).collect()
}

/// Element `i` in the targets' units; of differences without the mean.
fn in_units(model: &TrainedModel, value: &str, with_mean: bool) -> String {
    let Some(scale) = model.preprocessing().target_scale() else { return value.to_owned() };
    let of = |name: &str, numbers: &[f64]| match numbers {
        [only] => double(*only),
        _ => format!("target_{name}[i]"),
    };
    let scaled = format!("{value} * {}", of("std", &scale.std));
    if !with_mean {
        return format!("(float)({scaled})");
    }
    let mut restored = format!("{scaled} + {}", of("mean", &scale.mean));
    if scale.curve == TargetCurve::Log1p {
        restored = format!("expm1({restored})");
    }
    if let [.., _] = scale.range.as_slice() {
        let [low, high] =
            [0, 1].map(|place| scale.range.iter().map(|range| range[place]).collect::<Vec<_>>());
        restored = format!("fmin(fmax({restored}, {}), {})", of("min", &low), of("max", &high));
    }
    if let Some(subtract) = model.preprocessing().subtract_last() {
        let _ = write!(restored, " + last[i % {}]", subtract.targets().len());
    }
    format!("(float)({restored})")
}

/// The names of classes, and the functions that choose one.
pub(super) fn decisions(columns: &Columns, prefix: &str) -> String {
    let upper = prefix.to_ascii_uppercase();
    match columns {
        Columns::Classes { names, decision, .. } => {
            let list: Vec<String> = names.iter().map(|name| format!("    {},\n", quoted(name))).collect();
            let list = list.concat();
            let count = names.len();
            let body = match decision.filter(|_| count == 2) {
                Some(decision) => threshold(decision),
                None => format!(
                    "    int best = 0;\n    for (int i = 1; i < {count}; i++)\n        best = out[i] > out[best] ? i : best;\n    \
                     return best;\n"
                ),
            };
            format!(
                "const char *const {prefix}_classes[{count}] = {{\n{list}}};\n\nint {prefix}_label(const float \
                 out[{upper}_OUTPUTS])\n{{\n{body}}}\n\n"
            )
        }
        Columns::Labels { words, .. } => {
            let pair = |[no, yes]: &[String; 2]| format!("    {{{}, {}}},\n", quoted(no), quoted(yes));
            let list = words.iter().map(pair).collect::<Vec<_>>().concat();
            let count = words.len();
            format!(
                "const char *const {prefix}_words[{count}][2] = {{\n{list}}};\n\nvoid {prefix}_labels(const float \
                 out[{upper}_OUTPUTS], int labels[{upper}_OUTPUTS])\n{{\n    for (int i = 0; i < {count}; i++)\n        \
                 labels[i] = out[i] > 0.5f;\n}}\n\n"
            )
        }
        Columns::Values { .. } => String::new(),
    }
}

fn threshold(Decision { positive, threshold }: Decision) -> String {
    let (own, other) = if positive == 0 { (0, 1) } else { (1, 0) };
    format!("    return (double)out[{own}] >= {} ? {own} : {other};\n", double(threshold))
}
