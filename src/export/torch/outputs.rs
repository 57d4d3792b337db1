//! `outputs`: from the network's values to the answers, as Python.

use std::fmt::Write;

use super::text::{list, names, number};
use crate::data::preprocess::{Target, TargetCurve, TargetScale};
use crate::export::model::TrainedModel;
use crate::export::outputs::{LABEL, PREDICTION, PROBABILITIES, STD};
use crate::loss::{NetworkOutput, Variance};
use crate::run::Columns;

/// The function, and the names that it needs.
pub(super) fn function(model: &TrainedModel) -> String {
    let (constants, answers) = match model.columns() {
        Columns::Classes { names: classes, decision, .. } => {
            let pair = if classes.len() == 2 && model.preprocessing().outputs == 1 {
                "    answers = torch.cat([1 - answers, answers], 1)\n"
            } else {
                ""
            };
            let chosen = match decision.filter(|_| classes.len() == 2) {
                Some(decision) => {
                    let (own, other) = if decision.positive == 0 { (0, 1) } else { (1, 0) };
                    let threshold = number(decision.threshold);
                    format!("torch.where(answers[:, {own}].double() >= {threshold}, {own}, {other})")
                }
                None => "answers.argmax(1)".to_owned(),
            };
            let answers = format!(
                "{pair}    chosen = {chosen}\n    return {{\"{LABEL}\": np.array(CLASSES)[chosen.numpy()], \
                 \"{PROBABILITIES}\": answers.numpy()}}\n"
            );
            (format!("CLASSES = {}\n", names(&classes)), answers)
        }
        Columns::Labels { words, .. } => {
            let of = |place: usize| names(&words.iter().map(|pair| pair[place].clone()).collect::<Vec<_>>());
            let answers = format!(
                "    return {{\"{LABEL}\": np.where(answers.numpy() > 0.5, np.array(YES), np.array(NO)), \
                 \"{PROBABILITIES}\": answers.numpy()}}\n"
            );
            (format!("NO, YES = {}, {}\n", of(0), of(1)), answers)
        }
        Columns::Values { .. } => (String::new(), values(model)),
    };
    format!(
        "{constants}\n\ndef outputs(values):\n    \"\"\"What the network's values mean, in the targets' names and \
         units.\"\"\"\n    answers = {}\n{answers}",
        predictions(model.output()).to_owned() + if model.is_ensemble() { ".mean(1)" } else { "" }
    )
}

fn predictions(output: NetworkOutput) -> &'static str {
    match output {
        NetworkOutput::ClassLogits => "values.softmax(-1)",
        NetworkOutput::LabelLogits => "values.sigmoid()",
        NetworkOutput::LogProbabilities => "values.log_softmax(-1)",
        NetworkOutput::Values => "values",
        NetworkOutput::LogValues => "values.exp()",
        NetworkOutput::MeanAndVariance(_) => "values.chunk(2, -1)[0]",
    }
}

/// From the targets of each output to those of `targets(df)`. They have a mean also where each window's last value stands for
/// it in training, so that they are near 0 as f32.
pub(super) fn target_scale(model: &TrainedModel) -> Option<TargetScale> {
    let preprocessing = model.preprocessing();
    match preprocessing.table().map(|encoder| &encoder.target) {
        Some(Target::Values { scale, .. }) if preprocessing.subtract_last().is_some() => {
            Some(scale.clone().repeat(preprocessing.horizon().len()))
        }
        _ => preprocessing.target_scale(),
    }
}

/// Values in their units, and their deviations.
fn values(model: &TrainedModel) -> String {
    let units = target_scale(model);
    let mut lines = String::new();
    let mut answers = format!("\"{PREDICTION}\": answers.numpy()");
    if let NetworkOutput::MeanAndVariance(variance) = model.output() {
        let function = match variance {
            Variance::Exp => "torch.exp",
            Variance::Softplus => "nn.functional.softplus",
        };
        let _ = writeln!(lines, "    deviations = {function}(values.chunk(2, -1)[1]).sqrt()");
        let _ = write!(answers, ", \"{STD}\": deviations.numpy()");
        if let Some(TargetScale { std, .. }) = &units {
            let _ = writeln!(lines, "    deviations = (deviations * {}).float()", vector(std));
        }
    }
    if let Some(scale) = &units {
        lines += &restored(scale);
    }
    format!("{lines}    return {{{answers}}}\n")
}

/// Numbers as a tensor.
fn vector(numbers: &[f64]) -> String {
    format!("torch.tensor({}, dtype=torch.float64)", list(numbers.iter().map(|x| number(*x))))
}

/// The lines that bring answers back to the targets' units.
fn restored(TargetScale { mean, std, range, curve }: &TargetScale) -> String {
    let mut lines = String::new();
    let mut restored = format!("answers * {} + {}", vector(std), vector(mean));
    match curve {
        TargetCurve::Identity => {}
        TargetCurve::Log1p => restored = format!("torch.expm1({restored})"),
        TargetCurve::Quantile(all) => {
            let numbers = list(all.iter().map(|own| list(own.numbers().iter().map(|x| number(*x)))));
            let _ = writeln!(
                lines,
                "    answers = ({restored}).numpy()\n    answers = np.stack([from_normal(y, q) for y, q in zip(answers.T, \
                 {numbers})], axis=1)"
            );
            "torch.from_numpy(answers)".clone_into(&mut restored);
        }
    }
    if !range.is_empty() {
        let limits = |place: usize| vector(&range.iter().map(|own| own[place]).collect::<Vec<_>>());
        restored = format!("torch.clamp({restored}, {}, {})", limits(0), limits(1));
    }
    let _ = writeln!(lines, "    answers = ({restored}).float()");
    lines
}
