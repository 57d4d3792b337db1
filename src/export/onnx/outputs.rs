//! From the network's values to the outputs.

use super::graph::Graph;
use super::network::widen;
use super::proto::{Attribute, Constant, Dim, ElementType};
use crate::data::Decision;
use crate::data::preprocess::{TargetCurve, TargetScale};
use crate::export::model::TrainedModel;
use crate::export::outputs::{LABEL, PREDICTION, PROBABILITIES, STD, integers};
use crate::loss::{NetworkOutput, Variance};
use crate::run::Columns;

/// Adds the outputs for the values (N, K) of each network whose predictions are averaged; `last` are the targets (N, K) that
/// they are changes from, if they are.
pub(super) fn add(graph: &mut Graph, model: &TrainedModel, values: &[String], last: Option<&str>) {
    let mut predictions = average(graph, model, values);
    if model.is_ensemble() {
        let attributes = [Attribute::ints("axes", &[1]), Attribute::int("keepdims", 0)];
        predictions = graph.node("ReduceMean", &[&predictions], &attributes);
    }
    let units = Units::of(model);
    if let Some(units) = &units {
        predictions = units.restore(graph, &predictions, last);
    }
    match model.columns() {
        Columns::Classes { names, decision, .. } => {
            classes(graph, &predictions, &Classes::new(model, names, decision));
        }
        Columns::Labels { words, .. } => labels(graph, &predictions, &words),
        Columns::Values { .. } => {
            let dims = [Dim::Batch, Dim::Size(model.preprocessing().outputs)];
            graph.output(&predictions, PREDICTION, ElementType::Float, &dims);
            // A bag has no deviations.
            if let (NetworkOutput::MeanAndVariance(variance), [values]) = (model.output(), values) {
                let deviations = deviation(graph, model, variance, values);
                let deviations = units.map_or(deviations.clone(), |units| units.widen(graph, &deviations));
                graph.output(&deviations, STD, ElementType::Float, &dims);
            }
        }
    }
}

/// The mean of the predictions of several networks, or those of one.
fn average(graph: &mut Graph, model: &TrainedModel, values: &[String]) -> String {
    if let [values] = values {
        return predict(graph, model, values);
    }
    // Of logarithms of probabilities it is the logarithm of the probabilities' mean.
    let has_logarithms = model.output() == NetworkOutput::LogProbabilities;
    let axis = [Attribute::int("axis", -1)];
    let mut prediction = |values: &String| {
        if has_logarithms { graph.node("Softmax", &[values], &axis) } else { predict(graph, model, values) }
    };
    let each: Vec<String> = values.iter().map(&mut prediction).collect();
    let each: Vec<&str> = each.iter().map(String::as_str).collect();
    let mean = graph.node("Mean", &each, &[]);
    if has_logarithms { graph.node("Log", &[&mean], &[]) } else { mean }
}

/// The predictions as the loss reads them: probabilities or values.
fn predict(graph: &mut Graph, model: &TrainedModel, values: &str) -> String {
    let axis = [Attribute::int("axis", -1)];
    match model.output() {
        NetworkOutput::ClassLogits => graph.node("Softmax", &[values], &axis),
        NetworkOutput::LabelLogits => graph.node("Sigmoid", &[values], &[]),
        NetworkOutput::LogProbabilities => graph.node("LogSoftmax", &[values], &axis),
        NetworkOutput::Values => values.to_owned(),
        NetworkOutput::LogValues => graph.node("Exp", &[values], &[]),
        NetworkOutput::MeanAndVariance(_) => half(graph, model, values, 0),
    }
}

/// The first or second half of (N, 2 K): (N, K).
fn half(graph: &mut Graph, model: &TrainedModel, values: &str, number: usize) -> String {
    let count = model.preprocessing().outputs;
    let all: Vec<i64> = (0..).take(2 * count).collect();
    let columns = graph.ints("columns", &all[number * count..(number + 1) * count]);
    graph.node("Gather", &[values, &columns], &[Attribute::int("axis", 1)])
}

fn deviation(graph: &mut Graph, model: &TrainedModel, variance: Variance, values: &str) -> String {
    let values = half(graph, model, values, 1);
    let op = match variance {
        Variance::Exp => "Exp",
        Variance::Softplus => "Softplus",
    };
    let variances = graph.node(op, &[&values], &[]);
    graph.node("Sqrt", &[&variances], &[])
}

/// The units of targets that are learnt in others.
struct Units(TargetScale);

impl Units {
    fn of(model: &TrainedModel) -> Option<Self> {
        model.preprocessing().target_scale().map(Self)
    }

    /// Values in the targets' units; of changes from `last` what they lead to.
    fn restore(&self, graph: &mut Graph, values: &str, last: Option<&str>) -> String {
        let Self(TargetScale { mean, range, curve, .. }) = self;
        let scaled = self.scale(graph, values);
        let mean = graph.constant("target_mean", &[mean.len()], &Constant::Doubles(mean));
        let mut restored = graph.node("Add", &[&scaled, &mean], &[]);
        if *curve == TargetCurve::Log1p {
            let one = graph.double("one", 1.0);
            restored = graph.node("Exp", &[&restored], &[]);
            restored = graph.node("Sub", &[&restored, &one], &[]);
        }
        for (op, name, place) in [("Max", "target_min", 0), ("Min", "target_max", 1)] {
            if range.is_empty() {
                continue;
            }
            let limits: Vec<f64> = range.iter().map(|range| range[place]).collect();
            let limits = graph.constant(name, &[limits.len()], &Constant::Doubles(&limits));
            restored = graph.node(op, &[&restored, &limits], &[]);
        }
        if let Some(last) = last {
            restored = graph.node("Add", &[&restored, last], &[]);
        }
        graph.cast(&restored, ElementType::Float)
    }

    /// Differences in the targets' units.
    fn widen(&self, graph: &mut Graph, differences: &str) -> String {
        let scaled = self.scale(graph, differences);
        graph.cast(&scaled, ElementType::Float)
    }

    fn scale(&self, graph: &mut Graph, values: &str) -> String {
        let wide = widen(graph, values);
        let std = graph.constant("target_std", &[self.0.std.len()], &Constant::Doubles(&self.0.std));
        graph.node("Mul", &[&wide, &std], &[])
    }
}

/// The classes of a run.
struct Classes {
    names: Vec<String>,
    decision: Option<Decision>,
    /// Whether the network gives the probability of the second of two alone.
    is_pair: bool,
}

impl Classes {
    fn new(model: &TrainedModel, names: Vec<String>, decision: Option<Decision>) -> Self {
        let is_pair = names.len() == 2 && model.preprocessing().outputs == 1;
        Self { decision: decision.filter(|_| names.len() == 2), names, is_pair }
    }
}

/// The label (N) and the probabilities (N, C).
fn classes(graph: &mut Graph, predictions: &str, Classes { names, decision, is_pair }: &Classes) {
    let mut probabilities = predictions.to_owned();
    if *is_pair {
        let one = graph.float("one", 1.0);
        let first = graph.node("Sub", &[&one, &probabilities], &[]);
        probabilities = graph.node("Concat", &[&first, &probabilities], &[Attribute::int("axis", 1)]);
    }
    let class = if let Some(decision) = decision {
        decide(graph, &probabilities, *decision)
    } else {
        let attributes = [Attribute::int("axis", 1), Attribute::int("keepdims", 0)];
        graph.node("ArgMax", &[&probabilities], &attributes)
    };
    let shape = [names.len()];
    if let Some(numbers) = integers(names) {
        let numbers = graph.constant("classes", &shape, &Constant::Ints(&numbers));
        let label = graph.node("Gather", &[&numbers, &class], &[]);
        graph.output(&label, LABEL, ElementType::Int64, &[Dim::Batch]);
    } else {
        let texts = graph.constant("classes", &shape, &Constant::Strings(names));
        let label = graph.node("Gather", &[&texts, &class], &[]);
        graph.output(&label, LABEL, ElementType::String, &[Dim::Batch]);
    }
    let dims = [Dim::Batch, Dim::Size(names.len())];
    graph.output(&probabilities, PROBABILITIES, ElementType::Float, &dims);
}

/// The number (N) of one of two classes, by a threshold.
fn decide(graph: &mut Graph, probabilities: &str, Decision { positive, threshold }: Decision) -> String {
    let (place, other) = if positive == 0 { (0, 1) } else { (1, 0) };
    let column = graph.constant("positive", &[], &Constant::Ints(&[place]));
    let probability = graph.node("Gather", &[probabilities, &column], &[Attribute::int("axis", 1)]);
    let (probability, threshold) = (widen(graph, &probability), graph.double("threshold", threshold));
    let is_positive = graph.node("GreaterOrEqual", &[&probability, &threshold], &[]);
    let negative = graph.constant("negative", &[], &Constant::Ints(&[other]));
    graph.node("Where", &[&is_positive, &column, &negative], &[])
}

/// Several labels: a word for each (N, K) and the probabilities of the second one (N, K).
fn labels(graph: &mut Graph, probabilities: &str, words: &[[String; 2]]) {
    let half = graph.float("half", 0.5);
    let is_yes = graph.node("Greater", &[probabilities, &half], &[]);
    let dims = [Dim::Batch, Dim::Size(words.len())];
    let of = |place: usize| -> Vec<String> { words.iter().map(|pair| pair[place].clone()).collect() };
    let (no, yes) = (of(0), of(1));
    let numbers = integers(&[no.clone(), yes.clone()].concat());
    let kind = if numbers.is_some() { ElementType::Int64 } else { ElementType::String };
    let mut constant = |name: &str, texts: &[String]| match integers(texts).filter(|_| numbers.is_some()) {
        Some(numbers) => graph.constant(name, &[words.len()], &Constant::Ints(&numbers)),
        None => graph.constant(name, &[words.len()], &Constant::Strings(texts)),
    };
    let (no, yes) = (constant("no", &no), constant("yes", &yes));
    let label = graph.node("Where", &[&is_yes, &yes, &no], &[]);
    graph.output(&label, LABEL, kind, &dims);
    graph.output(probabilities, PROBABILITIES, ElementType::Float, &dims);
}
