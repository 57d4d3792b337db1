//! The scores of rows as they are read.

use std::path::Path;

use candle_core::{DType, Tensor};

use super::keyed_rows::{Inputs, KeyedRows, SeeRows};
use super::scores::{KeyedScores, RowScores, SeeScores, first_infinite, of_steps};
use crate::data::Preprocessing;
use crate::data::preprocess::ScaledInputs;
use crate::error::{Error, Result};
use crate::kernels::gather;
use crate::names::numbered_row;

/// The scores of rows as the network reads them: (N, C) or (N, K), with what is predicted besides.
type ScoreRows<'a> = dyn Fn(&Tensor) -> Result<Tensor> + 'a;

/// Scores rows.
pub(super) struct RowScorer<'a> {
    preprocessing: &'a Preprocessing,
    /// The type of the network's numbers.
    dtype: DType,
    scores: Box<ScoreRows<'a>>,
    /// The rows so far.
    row: usize,
    /// The numbers of a batch whose memory the next one takes.
    batch: Option<Tensor>,
}

impl<'a> RowScorer<'a> {
    pub(super) fn new(preprocessing: &'a Preprocessing, dtype: DType, scores: Box<ScoreRows<'a>>) -> Self {
        Self { preprocessing, dtype, scores, row: 0, batch: None }
    }
}

impl RowScorer<'_> {
    /// The scores of the next rows; `path` is how messages name their file.
    pub(super) fn score(
        &mut self,
        path: &Path,
        KeyedRows { inputs, keys }: KeyedRows,
    ) -> Result<KeyedScores> {
        let scores = match inputs {
            Inputs::Whole(rows) => (self.scores)(&rows)?,
            Inputs::Elements(rows) => {
                let rows = self.elements(&rows)?;
                let scores = (self.scores)(&rows)?;
                self.batch = Some(rows);
                scores
            }
            Inputs::Steps { rows, steps } => {
                let scores = (self.scores)(&rows)?;
                of_steps(&scores, &steps, self.preprocessing)?
            }
            Inputs::TooShort(rows) => {
                self.row += rows;
                return Ok(KeyedScores { scores: RowScores::None(rows), keys });
            }
        };
        if let Some(place) = first_infinite(&scores)? {
            let problem = "the answer is not finite; is a number in it far from those of training? Take the row out, or train \
                           with `data.clamp_output = true`, which keeps answers in the range of the training rows";
            let number = self.row + place;
            let row = match self.preprocessing.table() {
                Some(_) => format!("data row {}", number + 1),
                None => numbered_row(number),
            };
            return Err(Error::data(path, format!("{row}: {problem}")));
        }
        self.row += scores.dims()[0];
        Ok(KeyedScores { scores: RowScores::Of(scores), keys })
    }

    /// Elements of arrays and pictures as the network reads them, scaled as those of a batch in training.
    fn elements(&mut self, ScaledInputs { xs, affine }: &ScaledInputs) -> Result<Tensor> {
        let all: Vec<u32> = (0..).take(xs.dims()[0]).collect();
        let row = &self.preprocessing.row;
        Ok(gather::rows(xs, &all, row, *affine, self.dtype, self.batch.take())?)
    }
}

/// Scores rows as they are read.
pub(super) struct ReadScorer<'a> {
    pub(super) scorer: RowScorer<'a>,
    pub(super) see: &'a mut dyn SeeScores,
}

impl SeeRows for ReadScorer<'_> {
    fn keys(&mut self, names: &[String]) -> Result<()> {
        self.see.keys(names)
    }

    fn rows(&mut self, path: &Path, rows: KeyedRows) -> Result<()> {
        let KeyedScores { scores, keys } = self.scorer.score(path, rows)?;
        self.see.scores(scores, &keys)
    }
}
