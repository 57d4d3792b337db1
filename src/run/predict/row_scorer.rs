//! The scores of rows as they are read.

use std::path::Path;

use candle_core::Tensor;

use super::Predictor;
use super::keyed_rows::{Inputs, KeyedRows, SeeRows};
use super::scores::{KeyedScores, RowScores, SeeScores, first_infinite, of_steps};
use crate::error::{Error, Result};
use crate::names::numbered_row;

/// Scores rows.
pub(super) struct RowScorer<'a> {
    predictor: &'a Predictor,
    /// The rows so far.
    row: usize,
    /// The numbers of a batch whose memory the next one takes.
    batch: Option<Tensor>,
}

impl<'a> RowScorer<'a> {
    pub(super) fn new(predictor: &'a Predictor) -> Self {
        Self { predictor, row: 0, batch: None }
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
            Inputs::Whole(rows) => self.predictor.scores_with_deviation(&rows)?,
            Inputs::Elements(rows) => {
                let rows = self.predictor.elements(&rows, self.batch.take())?;
                let scores = self.predictor.scores_with_deviation(&rows)?;
                self.batch = Some(rows);
                scores
            }
            Inputs::Steps { rows, steps } => {
                let scores = self.predictor.scores_with_deviation(&rows)?;
                of_steps(&scores, &steps, self.predictor.preprocessing())?
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
            let row = match self.predictor.preprocessing.table() {
                Some(_) => format!("data row {}", number + 1),
                None => numbered_row(number),
            };
            return Err(Error::data(path, format!("{row}: {problem}")));
        }
        self.row += scores.dims()[0];
        Ok(KeyedScores { scores: RowScores::Of(scores), keys })
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
