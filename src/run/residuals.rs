//! `residuals.json` in a run's folder: how far predictions of values were off on rows that were not trained on, from which
//! split conformal prediction makes intervals (Lei et al. 2018, <https://arxiv.org/abs/1604.04173>).
//!
//! Their guarantee is for rows that decided nothing about the network. These rows chose the best epoch too, so that their errors are
//! a little smaller than those of new rows, and intervals hold the fraction that is asked for approximately.

use std::path::Path;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::names::RESIDUALS;
use crate::error::{Error, Result};
use crate::files::{self, Local};
use crate::stats::real;
use crate::trainer::{AbsoluteErrors, HeldOut, absolute_errors};

/// The most errors of a target that are kept.
const MOST: usize = 10_000;

/// The absolute errors of each target on rows that were not trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Residuals {
    /// The rows that count.
    rows: usize,
    /// Of each target the errors, ascending; of many rows every so many-th.
    errors: Vec<Vec<f64>>,
    /// The weight of each error; empty where all rows count alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    weights: Vec<Vec<f64>>,
}

/// The error of a row, and how much it counts.
#[derive(Debug, Clone, Copy)]
struct WeightedError {
    error: f64,
    weight: f64,
}

impl Residuals {
    /// The errors of networks on the rows that each was not trained on.
    pub(crate) fn of(all: &[HeldOut<'_>]) -> Result<Self> {
        let AbsoluteErrors { targets, weights } = absolute_errors(all)?;
        Ok(if weights.is_empty() { Self::of_equal(targets) } else { Self::of_weighted(&targets, &weights) })
    }

    /// Of rows that count alike.
    fn of_equal(targets: Vec<Vec<f64>>) -> Self {
        let rows = targets.first().map_or(0, Vec::len);
        let thinned = |mut errors: Vec<f64>| {
            errors.sort_unstable_by(f64::total_cmp);
            let kept = rows.min(MOST);
            // The error of a kept place is that of the last row up to it, so that keeping fewer makes no interval narrower.
            (1..=kept).map(|place| errors[(place * rows).div_ceil(kept) - 1]).collect()
        };
        Self { rows, errors: targets.into_iter().map(thinned).collect(), weights: Vec::new() }
    }

    /// Of rows with these weights.
    fn of_weighted(targets: &[Vec<f64>], weights: &[f64]) -> Self {
        let counted = |errors: &Vec<f64>| -> Vec<WeightedError> {
            let all = errors.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
            let mut all: Vec<WeightedError> =
                all.map(|(error, weight)| WeightedError { error: *error, weight: *weight }).collect();
            all.sort_unstable_by(|a, b| a.error.total_cmp(&b.error));
            thinned(&all)
        };
        let rows = weights.iter().filter(|weight| **weight > 0.0).count();
        let all: Vec<Vec<WeightedError>> = targets.iter().map(counted).collect();
        let each =
            |of: fn(&WeightedError) -> f64| all.iter().map(|own| own.iter().map(of).collect()).collect();
        Self { rows, errors: each(|own| own.error), weights: each(|own| own.weight) }
    }

    /// Half the width of intervals in which about this fraction of new rows lies, for each target: the smallest error up to which
    /// rows of the weight `level` (W + 1) are, of W in all. A new row counts as one, or as the mean of the weights where
    /// that is less.
    ///
    /// # Errors
    /// A sentence without its subject, where there are too few rows for the fraction.
    pub(crate) fn half_widths(&self, level: f64) -> Result<Vec<f64>, String> {
        let rows = real(self.rows);
        let all = self.weights.first().map_or(rows, |weights| weights.iter().sum());
        let new = (all / rows).min(1.0);
        let wanted = level * (all + new);
        if wanted > all * (1.0 + 1e-12) {
            let (needed, weight) = if self.weights.is_empty() {
                (
                    format!("{:.0} validation rows or more", (level / (1.0 - level) * (1.0 - 1e-9)).ceil()),
                    String::new(),
                )
            } else {
                ("more validation rows".to_owned(), format!(" of weight {all:.1} in all"))
            };
            return Err(format!(
                "takes {needed}: with {}{weight} the widest interval that they give is {:.4}; train with a larger \
                 `data.validation`, or with `--bag`, which validates on all rows",
                self.rows,
                // Down, so that the number that is named is one that is taken.
                (all / (all + new) * 1e4).floor() / 1e4
            ));
        }
        if self.weights.is_empty() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
            let rank = (wanted - 1e-9).ceil().max(1.0) as usize;
            let of = |errors: &Vec<f64>| errors[(rank * errors.len()).div_ceil(self.rows) - 1];
            return Ok(self.errors.iter().map(of).collect());
        }
        let of = |(errors, weights): (&Vec<f64>, &Vec<f64>)| {
            let mut sum = 0.0;
            let reached = weights.iter().position(|weight| {
                sum += weight;
                sum >= wanted - 1e-9 * all
            });
            errors[reached.unwrap_or(errors.len() - 1)]
        };
        Ok(self.errors.iter().zip(&self.weights).map(of).collect())
    }

    /// Writes the file of the run in this folder.
    pub(crate) fn save(&self, run: &Path) -> Result<()> {
        let text = serde_json::to_string(self).map_err(|e| Error::data(run, e.to_string()))?;
        files::write(&Local, &run.join(RESIDUALS), text.as_bytes())
    }

    /// Reads the file of the run in this folder.
    ///
    /// # Errors
    /// The run has none: it predicts classes, or validated nothing.
    pub(crate) fn read(run: &Path) -> Result<Self> {
        let path = run.join(RESIDUALS);
        if !path.is_file() {
            let problem = "there is no residuals.json in this folder: intervals are for numbers, and come from validation rows; \
                           train the run with `data.validation`";
            return Err(Error::data(run, problem));
        }
        let text = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let own: Self = serde_json::from_str(&text).map_err(|e| Error::data(&path, e.to_string()))?;
        let are_whole = |all: &Vec<Vec<f64>>| all.iter().all(|own_all| own_all.len() == own.rows.min(MOST));
        let is_weighted = !own.weights.is_empty();
        let is_whole = own.rows > 0
            && are_whole(&own.errors)
            && are_whole(&own.weights)
            && (!is_weighted || own.weights.len() == own.errors.len());
        if is_whole { Ok(own) } else { Err(Error::data(&path, "it is damaged; train the run again")) }
    }
}

/// The lower and the upper bounds of intervals of these half widths, one of each target, around predictions (N, K). They may lie
/// beyond the range that predictions are kept in, as the values of new rows may.
pub(crate) fn bounds(predictions: &Tensor, half_widths: &[f64]) -> Result<[Tensor; 2]> {
    let half = Tensor::new(half_widths, predictions.device())?;
    Ok([predictions.broadcast_sub(&half)?, predictions.broadcast_add(&half)?])
}

/// The fraction of rows, by their weights, whose targets lie in intervals of these half widths, for each target.
pub(crate) fn covered(held_out: HeldOut<'_>, half_widths: &[f64]) -> Result<Vec<f64>> {
    let AbsoluteErrors { targets, weights } = absolute_errors(&[held_out])?;
    let weight = |row: usize| weights.get(row).copied().unwrap_or(1.0);
    let fraction = |(errors, half): (&Vec<f64>, &f64)| {
        let total: f64 = (0..errors.len()).map(weight).sum();
        let within: f64 =
            (0..).zip(errors).filter(|(_, error)| *error <= half).map(|(row, _)| weight(row)).sum();
        within / total.max(f64::MIN_POSITIVE)
    };
    Ok(targets.iter().zip(half_widths).map(fraction).collect())
}

/// Of many errors, ascending, so many that stand for equal weights: each is the last up to its place, so that keeping fewer makes
/// no interval narrower.
fn thinned(all: &[WeightedError]) -> Vec<WeightedError> {
    if all.len() <= MOST {
        return all.to_vec();
    }
    let total: f64 = all.iter().map(|own| own.weight).sum();
    let each = total / real(MOST);
    let (mut rest, mut sum) = (all.iter().peekable(), 0.0);
    let place = |place: usize| {
        let mut error = all[all.len() - 1].error;
        while let Some(own) = rest.peek() {
            error = own.error;
            if sum + own.weight >= each * real(place) {
                break;
            }
            sum += own.weight;
            rest.next();
        }
        WeightedError { error, weight: each }
    };
    (1..=MOST).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_half_width_is_the_conformal_quantile() {
        let of = |rows: usize| Residuals::of_equal(vec![(1..=rows).rev().map(real).collect()]);
        // The ⌈(n + 1) level⌉-th smallest error.
        assert_eq!(of(9).half_widths(0.9).unwrap(), [9.0]);
        assert_eq!(of(99).half_widths(0.9).unwrap(), [90.0]);
        assert_eq!(of(100).half_widths(0.5).unwrap(), [51.0]);
        assert!(of(9).half_widths(0.95).unwrap_err().contains("0.9000"));
    }

    #[test]
    fn weights_are_as_repeating_rows() {
        let weights = |row: usize| [1, 2, 0, 3][row % 4];
        let errors = |row: usize| real(row * 37 % 101);
        let rows = || 0..90usize;
        let repeated = rows().flat_map(|row| std::iter::repeat_n(errors(row), weights(row))).collect();
        let repeated = Residuals::of_equal(vec![repeated]);
        let own = rows().map(|row| real(weights(row))).collect::<Vec<_>>();
        let weighted = Residuals::of_weighted(&[rows().map(errors).collect()], &own);
        assert_eq!(weighted.rows, 68);
        for level in [0.05, 0.5, 0.8, 0.9, 0.95, 0.99] {
            assert_eq!(weighted.half_widths(level), repeated.half_widths(level), "{level}");
        }
        assert!(weighted.half_widths(0.999).is_err() && repeated.half_widths(0.999).is_err());
        // Equal weights change nothing, however small.
        let errors = |rows: usize| vec![(1..=rows).map(real).collect::<Vec<f64>>()];
        let small = Residuals::of_weighted(&errors(99), &[0.001; 99]);
        assert_eq!(small.half_widths(0.9).unwrap(), [90.0]);
        // Many rows are thinned, on the side of wider intervals.
        let many = Residuals::of_weighted(&errors(100_000), &vec![0.5; 100_000]);
        assert_eq!((many.errors[0].len(), many.half_widths(0.9).unwrap()), (10_000, vec![90_010.0]));
    }
}
