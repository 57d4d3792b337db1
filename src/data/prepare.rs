//! From raw rows to splits: a limit, a validation share, sequences, normalisation.

use candle_core::{DType, Device, Tensor};
use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Dataset, Loaded, Normalize, Rows, Want, class_of, order};
use crate::error::{Error, Result};
use crate::registry::schema::below_one;
use crate::rng::{Purpose, Stream};

/// What a config can ask of any data set.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Preparation {
    /// Read each row as a sequence, (T, F).
    pub sequence: Option<[usize; 2]>,
    /// How inputs are normalised; left out: not at all, images are divided by 255.
    pub normalize: Normalize,
    /// The share of the training rows that is held out, the same of every class.
    #[schemars(transform = below_one)]
    pub validation: f64,
    /// Only the first rows of the training split.
    #[schemars(range(min = 1))]
    pub limit: Option<usize>,
}

/// What a model reads: rows of features, or sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// (N, F)
    Features,
    /// (N, T, F)
    Sequences,
}

/// The data of a run.
#[derive(Debug, Clone)]
pub struct Splits {
    /// What is trained on.
    pub train: Dataset,
    /// What is held out of it, where that was asked for.
    pub validation: Option<Dataset>,
    /// What the final metrics are taken on, where the source has it.
    pub test: Option<Dataset>,
    /// How many numbers a prediction has.
    pub outputs: usize,
}

impl Preparation {
    /// Splits, shapes and normalises what a source gave.
    pub fn prepare(
        &self,
        loaded: Loaded,
        (input, want): (Input, Want),
        seed: u64,
        (dtype, device): (DType, &Device),
    ) -> Result<Splits> {
        let Loaded { mut train, test, outputs, ordered } = loaded;
        if let Some(limit) = self.limit {
            let kept = limit.min(train.xs.dims()[0]);
            train = Rows { xs: train.xs.narrow(0, 0, kept)?, ys: train.ys.narrow(0, 0, kept)? };
        }
        let (train, validation) = self.hold_out(train, want, ordered, seed)?;
        let mut parts = [Some(train), validation, test];
        for rows in parts.iter_mut().flatten() {
            rows.xs = self.shape(&rows.xs, input)?;
        }
        let affine = self.normalize.apply(&mut parts)?;
        let [train, validation, test] =
            parts.map(|rows| rows.map(|rows| Dataset::new(&rows.xs, &rows.ys, affine, dtype, device)));
        let train = train.ok_or_else(|| Error::Config("there are no rows to train on".to_owned()))??;
        Ok(Splits { train, validation: validation.transpose()?, test: test.transpose()?, outputs })
    }

    /// Holds out `validation` of the rows, drawn by the seed; of classes the same share each, of a series the end.
    fn hold_out(&self, rows: Rows, want: Want, ordered: bool, seed: u64) -> Result<(Rows, Option<Rows>)> {
        if self.validation == 0.0 {
            return Ok((rows, None));
        }
        let count = rows.xs.dims()[0];
        let groups = match want {
            Want::Values | Want::Labels => vec![order(count, false, 0, 0)],
            Want::Classes { .. } => by_class(&class_of(&rows.ys)?),
        };
        let mut held_out = vec![false; count];
        for (index, mut group) in groups.into_iter().enumerate() {
            if ordered {
                group.reverse();
            } else {
                group.shuffle(&mut Stream::new(seed, Purpose::Split, index as u64));
            }
            let share = share(self.validation, group.len());
            group[..share].iter().for_each(|row| held_out[*row as usize] = true);
        }
        let (validation, train): (Vec<u32>, Vec<u32>) =
            order(count, false, 0, 0).into_iter().partition(|row| held_out[*row as usize]);
        if validation.is_empty() || train.is_empty() {
            return Err(Error::key(
                "data.validation",
                format!(
                    "is {}: of {count} rows it leaves {} to train on and {} to validate; change the share",
                    self.validation,
                    train.len(),
                    validation.len()
                ),
            ));
        }
        let pick = |indices: &[u32]| -> Result<Rows> {
            let indices = Tensor::new(indices, &Device::Cpu)?;
            Ok(Rows { xs: rows.xs.index_select(&indices, 0)?, ys: rows.ys.index_select(&indices, 0)? })
        };
        Ok((pick(&train)?, Some(pick(&validation)?)))
    }

    /// (N, F) or (N, T, F), as the model reads it.
    fn shape(&self, xs: &Tensor, input: Input) -> Result<Tensor> {
        let (rows, features) = (xs.dims()[0], xs.elem_count() / xs.dims()[0].max(1));
        match (input, self.sequence) {
            (Input::Features, None) => Ok(xs.reshape((rows, features))?),
            (Input::Features, Some(_)) => Err(Error::key(
                "data.sequence",
                "is for recurrent models; remove it, or set `model.name` to `rnn`",
            )),
            (Input::Sequences, None) if xs.rank() == 3 => Ok(xs.clone()),
            (Input::Sequences, None) => Err(Error::key(
                "data.sequence",
                format!(
                    "is needed: the model reads sequences, and a row has {features} features and no steps; set it to \
                     [T, F] with T · F = {features}"
                ),
            )),
            (Input::Sequences, Some([steps, width]))
                if steps.checked_mul(width) == Some(features) && features > 0 =>
            {
                Ok(xs.reshape((rows, steps, width))?)
            }
            (Input::Sequences, Some([steps, width])) => Err(Error::key(
                "data.sequence",
                format!("is [{steps}, {width}], but a row has {features} features; T · F must be {features}"),
            )),
        }
    }
}

fn by_class(labels: &[i64]) -> Vec<Vec<u32>> {
    let mut groups = std::collections::BTreeMap::<i64, Vec<u32>>::new();
    for (row, label) in order(labels.len(), false, 0, 0).into_iter().zip(labels) {
        groups.entry(*label).or_default().push(row);
    }
    groups.into_values().collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a count of rows"
)]
fn share(of: f64, count: usize) -> usize {
    (of * count as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(labels: &[i64]) -> Loaded {
        let n = labels.len();
        let xs: Vec<f64> = (0..n * 2).map(|i| f64::from(u32::try_from(i).unwrap())).collect();
        Loaded {
            train: Rows {
                xs: Tensor::from_vec(xs, (n, 2), &Device::Cpu).unwrap(),
                ys: Tensor::from_slice(labels, n, &Device::Cpu).unwrap(),
            },
            test: None,
            outputs: 2,
            ordered: false,
        }
    }

    fn prepare(text: &str, loaded: Loaded, input: Input) -> Result<Splits> {
        let preparation: Preparation = toml::from_str(text).unwrap();
        let want = Want::Classes { ignored: -100, probabilities: false };
        preparation.prepare(loaded, (input, want), 1, (DType::F64, &Device::Cpu))
    }

    #[test]
    fn the_validation_share_is_held_out_of_every_class() {
        let labels: Vec<i64> = (0..100).map(|i| i64::from(i % 10 == 0)).collect();
        let splits = prepare("validation = 0.2", rows(&labels), Input::Features).unwrap();
        let validation = splits.validation.unwrap();
        assert_eq!((splits.train.len(), validation.len()), (80, 20));
        let targets = validation.targets(&order(20, false, 0, 0)).unwrap().to_vec1::<i64>().unwrap();
        assert_eq!(targets.iter().sum::<i64>(), 2);
        assert!(prepare("validation = 0.01", rows(&[0, 1, 0]), Input::Features).is_err());
    }

    #[test]
    fn fitted_normalisation_knows_the_training_rows_alone() {
        let mut loaded = rows(&[0, 1, 0, 1]);
        loaded.test = Some(Rows {
            xs: Tensor::new(&[[100.0, 1.0]], &Device::Cpu).unwrap(),
            ys: loaded.train.ys.narrow(0, 0, 1).unwrap(),
        });
        let splits = prepare("normalize = 'minmax'", loaded, Input::Features).unwrap();
        let train = splits.train.inputs(&order(4, false, 0, 0)).unwrap().to_vec2::<f64>().unwrap();
        assert_eq!(train[0], [0.0, 0.0]);
        assert_eq!(train[3], [1.0, 1.0]);
        let test = splits.test.unwrap().inputs(&[0]).unwrap().to_vec2::<f64>().unwrap();
        assert!((test[0][0] - 100.0 / 6.0).abs() < 1e-12);
        let splits = prepare("normalize = 'standard'", rows(&[0, 1]), Input::Features).unwrap();
        assert_eq!(
            splits.train.inputs(&order(2, false, 0, 0)).unwrap().to_vec2::<f64>().unwrap(),
            [[-1.0, -1.0], [1.0, 1.0]]
        );
        let splits = prepare("normalize = { mean = 1, std = 2 }", rows(&[0, 1]), Input::Features).unwrap();
        assert_eq!(
            splits.train.inputs(&order(2, false, 0, 0)).unwrap().to_vec2::<f64>().unwrap(),
            [[-0.5, 0.0], [0.5, 1.0]]
        );
    }

    #[test]
    fn rows_become_sequences_where_the_model_reads_them() {
        let splits = prepare("sequence = [2, 1]", rows(&[0, 1]), Input::Sequences).unwrap();
        assert_eq!(splits.train.row_shape(), [2, 1]);
        let error = prepare("sequence = [3, 1]", rows(&[0, 1]), Input::Sequences).unwrap_err().to_string();
        assert!(error.contains("T · F must be 2"), "{error}");
        assert!(prepare("", rows(&[0, 1]), Input::Sequences).is_err());
        assert!(prepare("sequence = [2, 1]", rows(&[0, 1]), Input::Features).is_err());
    }
}
