//! The network of a trained model, which may average several.

use super::network::{class, module};
use super::outputs::target_scale;
use super::text::{list, number};
use crate::data::preprocess::TargetScale;
use crate::data::subtract_last::SubtractLast;
use crate::export::model::TrainedModel;
use crate::loss::NetworkOutput;

/// The class `Model` of a bag, without the rule of its mean.
const BAG: &str = include_str!("bag.py");

/// The class `Model` of `data.subtract_last`.
const SUBTRACT_LAST: &str = include_str!("subtract_last.py");

/// What `train` does with a bag.
const TRAIN_MEMBERS: &str = include_str!("train_members.py");

/// The class `Model`; of a bag, `Member` and what averages; where it sees changes since the last step, which no bag does,
/// `Network` too.
pub(in crate::export) fn network(model: &TrainedModel) -> String {
    let row = &model.preprocessing().row;
    if let Some(subtract) = model.preprocessing().subtract_last() {
        let network = class("Network", &model.ops, row);
        return format!("{network}\n\n{}\n\n{SUBTRACT_LAST}", past(model, &subtract));
    }
    if !model.is_bag() {
        return module(&model.ops, row);
    }
    let count = model.members.len().to_string();
    let bag = BAG.replace("MEMBERS", &count).replace("MEAN", mean(model.output()));
    format!("{}\n\n{bag}", class("Member", &model.ops, row))
}

/// The constants of a window's last step, whose targets are scaled as those of `targets(df)`.
fn past(model: &TrainedModel, subtract: &SubtractLast) -> String {
    let Some(TargetScale { mean, std, .. }) = target_scale(model) else { return String::new() };
    let targets = subtract.targets().repeat(model.preprocessing().horizon().len());
    let places = || targets.iter().zip(mean.iter().zip(&std));
    let scales = places().map(|(target, (_, std))| number(target.scale / std));
    let offsets = places().map(|(target, (mean, std))| number((target.offset - mean) / std));
    format!(
        "NUMBERS = {}  # the features of a step whose last values are subtracted\nPAST = {}  # the features that are targets, for \
         each step that is predicted\nSCALE = torch.tensor({}, dtype=torch.float64)\nOFFSET = torch.tensor({}, \
         dtype=torch.float64)\n",
        list(subtract.numbers().iter().map(|own| number(*own))),
        list(targets.iter().map(|target| target.feature.to_string())),
        list(scales),
        list(offsets)
    )
}

/// The outputs that stand for the mean of the members' predictions, of their outputs (members, N, …).
fn mean(output: NetworkOutput) -> &'static str {
    match output {
        NetworkOutput::ClassLogits | NetworkOutput::LogProbabilities => {
            "values.log_softmax(-1).logsumexp(0).log_softmax(-1)"
        }
        NetworkOutput::LabelLogits => {
            "nn.functional.logsigmoid(values).logsumexp(0) - nn.functional.logsigmoid(-values).logsumexp(0)"
        }
        NetworkOutput::LogValues => "values.logsumexp(0) - torch.tensor(float(len(values))).log()",
        // A bag has no variances.
        NetworkOutput::Values | NetworkOutput::MeanAndVariance(_) => "values.mean(0)",
    }
}

/// The functions of training for this model.
pub(super) fn of_model(model: &TrainedModel, training: &str) -> String {
    let of_members = if model.is_bag() { TRAIN_MEMBERS } else { "" };
    training.replace("    # MEMBERS\n", of_members)
}
