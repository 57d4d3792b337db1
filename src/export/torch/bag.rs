//! The network of a trained model, which may average several.

use super::network::{class, module};
use crate::export::model::TrainedModel;
use crate::loss::NetworkOutput;

/// The class `Model` of a bag, without the rule of its mean.
const BAG: &str = include_str!("bag.py");

/// What `train` does with a bag.
const TRAIN_MEMBERS: &str = include_str!("train_members.py");

/// The class `Model`; of a bag, `Member` and what averages.
pub(in crate::export) fn network(model: &TrainedModel) -> String {
    let row = &model.preprocessing().row;
    if !model.is_bag() {
        return module(&model.ops, row);
    }
    let count = model.members.len().to_string();
    let bag = BAG.replace("MEMBERS", &count).replace("MEAN", mean(model.output()));
    format!("{}\n\n{bag}", class("Member", &model.ops, row))
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
