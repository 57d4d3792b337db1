//! The options that all data sets share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::preprocess::TargetTransform;
use super::split::{Bag, Fold};
use super::{Normalize, Task, Threshold};
use crate::error::{Error, Result};
use crate::names::counted;
use crate::registry::KeyError;
use crate::registry::schema::below_one;

/// The options that all data sets share.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Preparation {
    /// Read each row as a sequence, (T, F).
    pub sequence: Option<[usize; 2]>,
    /// Normalisation of the inputs; default: none, images are divided by 255.
    pub normalize: Normalize,
    /// Numeric targets: their transformation for training; predictions and metrics are in their own units. Default: of tables and series
    /// "standard" with the losses that allow it.
    pub target_transform: Option<TargetTransform>,
    /// Numeric targets: keep predictions within the range of the training rows.
    pub clamp_output: bool,
    /// The fraction of the training rows to hold out for validation, stratified by class.
    #[schemars(transform = below_one)]
    pub validation: f64,
    /// Use only this many training rows: the same share of every class, drawn by the seed; of a series the latest.
    #[schemars(range(min = 1))]
    pub limit: Option<usize>,
    /// Two classes: the positive one, which precision, recall, F1 and average precision are about; default: the second in
    /// order.
    pub positive: Option<String>,
    /// Two classes: the probability from which a row is predicted as the positive one, or "f1": the one that gives the best
    /// F1 on the validation rows; default: the more probable class is predicted.
    pub threshold: Option<Threshold>,
    /// K-fold cross-validation: use one of several folds as the test split. `train --folds` sets it.
    pub fold: Option<Fold>,
    /// Validate on one of several folds of the rows that are not tested on; without a number, the average of the runs of all
    /// folds. `train --bag` sets it.
    pub bag: Option<Bag>,
}

/// The use that a loss makes of targets.
#[derive(Debug, Clone, Copy)]
pub struct TargetUse<'a> {
    /// The name of the loss.
    pub loss: &'a str,
    /// Its task.
    pub task: Task,
    /// Whether it depends on differences alone.
    pub standardizes: bool,
    /// Whether it learns a deviation beside each value.
    pub has_deviation: bool,
}

/// The input shape of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// (N, F)
    Features,
    /// (N, T, F)
    Sequences,
}

impl Preparation {
    /// Validates the options.
    pub fn check(&self) -> Result<(), KeyError> {
        if !(0.0..1.0).contains(&self.validation) {
            let problem = format!("is {}; give a fraction of the rows, 0 to less than 1", self.validation);
            return Err(KeyError::new("validation", problem));
        }
        if self.limit == Some(0) {
            return Err(KeyError::new("limit", "is 0; give a number of rows, or leave it out"));
        }
        if let Some(threshold) = self.threshold {
            threshold.check().map_err(|problem| KeyError::new("threshold", problem))?;
        }
        self.normalize.check().map_err(|problem| KeyError::new("normalize", problem))?;
        if self.bag.is_some() && self.validation > 0.0 {
            let problem = "cannot be used with `data.bag`, which validates on folds; remove it";
            return Err(KeyError::new("validation", problem));
        }
        self.bag.map_or(Ok(()), |bag| bag.check().map_err(|e| e.under("bag")))?;
        self.fold.map_or(Ok(()), |fold| fold.check().map_err(|e| e.under("fold")))
    }

    /// Whether the training numbers have to be kept in their order.
    pub(in crate::data) fn needs_quantiles(&self) -> bool {
        let of_target =
            matches!(self.target_transform, Some(TargetTransform::Log1p | TargetTransform::Quantile));
        of_target || self.normalize.needs_quantiles()
    }

    /// Whether inputs and targets are learnt as multiples of themselves and a constant.
    pub(in crate::data) fn is_affine(&self) -> bool {
        let bends = matches!(self.normalize, Normalize::RobustSmooth | Normalize::Quantile);
        let is_plain = matches!(self.target_transform, None | Some(TargetTransform::Standard));
        !bends && is_plain && !self.clamp_output
    }

    /// Checks the options of numeric targets against the loss.
    pub fn check_targets(&self, loss: TargetUse<'_>) -> Result<(), KeyError> {
        let TargetUse { loss, task, standardizes, has_deviation } = loss;
        let chosen = self.target_transform.map(|transform| {
            (
                "target_transform",
                format!("is \"{}\", which is for targets that are numbers", transform.name()),
            )
        });
        let clamp = self.clamp_output.then(|| ("clamp_output", "is for targets that are numbers".to_owned()));
        if let Some((key, problem)) = chosen.or(clamp).filter(|_| task != Task::Values) {
            let problem =
                format!("{problem}; the loss `{loss}` learns probabilities: leave it out, or take `mse`");
            return Err(KeyError::new(key, problem));
        }
        let Some(transform) = self.target_transform else { return Ok(()) };
        let name = transform.name();
        if !standardizes {
            let problem = format!(
                "is \"{name}\", but the loss `{loss}` needs the targets as they are; leave it out, or take `mse`"
            );
            return Err(KeyError::new("target_transform", problem));
        }
        if has_deviation && transform != TargetTransform::Standard {
            let problem = format!(
                "is \"{name}\", on whose curve the deviations of `{loss}` have no unit; take \"standard\", or another loss"
            );
            return Err(KeyError::new("target_transform", problem));
        }
        Ok(())
    }

    /// The shape `[F]` or `[T, F]` in which the model reads a row of shape `own`.
    pub fn row_shape(&self, own: &[usize], input: InputKind) -> Result<Vec<usize>> {
        let features: usize = own.iter().product();
        match (input, self.sequence) {
            (InputKind::Features, None) => Ok(vec![features]),
            (InputKind::Features, Some(_)) => Err(Error::key(
                "data.sequence",
                "is for recurrent models; remove it, or set `model.name` to `rnn`",
            )),
            (InputKind::Sequences, None) if own.len() == 2 => Ok(own.to_vec()),
            (InputKind::Sequences, None) => Err(Error::key(
                "data.sequence",
                format!(
                    "is needed: the model reads sequences, and a row has {} and no steps; set it to [T, F] \
                     with T · F = {features}",
                    counted(features, "feature")
                ),
            )),
            (InputKind::Sequences, Some([steps, width]))
                if steps.checked_mul(width) == Some(features) && features > 0 =>
            {
                Ok(vec![steps, width])
            }
            (InputKind::Sequences, Some([steps, width])) => Err(Error::key(
                "data.sequence",
                format!(
                    "is [{steps}, {width}], but a row has {}; T · F must be {features}",
                    counted(features, "feature")
                ),
            )),
        }
    }
}
