//! What sees the scores of rows: a file, or predictions in memory.

use candle_core::{DType, Device, Tensor};

use super::keys::KeyCell;
use super::output::PredictionWriter;
use super::predictions::Predictions;
use crate::data::Preprocessing;
use crate::error::{Error, Result};
use crate::run::options::Interrupt;

/// Sees the scores of rows.
pub(super) trait SeeScores {
    /// The names of the columns of the keys, once before the first rows.
    fn keys(&mut self, names: &[String]) -> Result<()>;

    /// The scores of the next rows, and their keys.
    fn scores(&mut self, scores: RowScores, keys: &[KeyCell]) -> Result<()>;
}

/// Writes scores until it is interrupted.
pub(super) struct ScoreWriter<'a, 'out> {
    pub(super) output: &'a mut PredictionWriter<'out>,
    pub(super) interrupt: &'a Interrupt,
}

impl SeeScores for ScoreWriter<'_, '_> {
    fn keys(&mut self, names: &[String]) -> Result<()> {
        self.output.begin(names)
    }

    fn scores(&mut self, scores: RowScores, keys: &[KeyCell]) -> Result<()> {
        if self.interrupt.is_stopping() {
            return Err(Error::Interrupted);
        }
        match scores {
            RowScores::Of(scores) => self.output.add(&scores, keys),
            RowScores::None(rows) => self.output.add_empty(rows, keys),
        }
    }
}

impl SeeScores for Predictions {
    fn keys(&mut self, _: &[String]) -> Result<()> {
        Ok(())
    }

    fn scores(&mut self, scores: RowScores, _: &[KeyCell]) -> Result<()> {
        match scores {
            RowScores::Of(scores) => self.add(&scores),
            RowScores::None(rows) => {
                self.add_empty(rows);
                Ok(())
            }
        }
    }
}

/// The scores of some rows, and their keys.
pub(super) struct KeyedScores {
    pub(super) scores: RowScores,
    pub(super) keys: Vec<KeyCell>,
}

/// The scores of the next rows.
pub(super) enum RowScores {
    /// (N, C) or (N, K)
    Of(Tensor),
    /// None for this many rows of a series, which have no whole window before them.
    None(usize),
}

/// Of the scores of each row, (N, S K) or with deviations (N, 2 S K), those of its step: (N, K) or (N, 2 K).
pub(super) fn of_steps(scores: &Tensor, steps: &[usize], preprocessing: &Preprocessing) -> Result<Tensor> {
    let (all, outputs) = (preprocessing.horizon().len(), preprocessing.outputs);
    let each = outputs / all.max(1);
    let rows = scores.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec2::<f64>()?;
    let of_step = |(row, step): (&Vec<f64>, &usize)| -> Vec<f64> {
        row.chunks_exact(outputs).flat_map(|kind| kind[step * each..(step + 1) * each].to_vec()).collect()
    };
    let picked: Vec<f64> = rows.iter().zip(steps).flat_map(of_step).collect();
    let width = picked.len() / steps.len().max(1);
    Ok(Tensor::from_vec(picked, (steps.len(), width), &Device::Cpu)?)
}

/// The first row of (N, K) with a number that is not finite.
pub(super) fn first_infinite(scores: &Tensor) -> Result<Option<usize>> {
    let numbers = scores.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    let place = numbers.iter().position(|number| !number.is_finite());
    Ok(place.map(|place| place / scores.dims()[1].max(1)))
}
