//! The options that all data sets share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::split::{Bag, Fold};
use super::{Normalize, Threshold};
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
