//! `residuals.json` in a run's folder: how far predictions of values were off on rows that were not trained on, from which
//! split conformal prediction makes intervals (Lei et al. 2018, <https://arxiv.org/abs/1604.04173>).
//!
//! Their guarantee is for rows that decided nothing about the network. These rows chose the best epoch too, so that their errors are
//! a little smaller than those of new rows, and intervals hold the fraction that is asked for approximately.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::intervals::{HeldOutRow, Intervals, TooFewRows};
use super::names::RESIDUALS;
use crate::error::{Error, Result};
use crate::files::{self, Local};
use crate::trainer::{HeldOut, HeldOutErrors, PredictionError, held_out_errors};

/// The most rows that are kept of one target.
const MOST: usize = 10_000;
/// About the most that are kept in all, where there are several targets.
const MOST_IN_ALL: usize = 40_000;
/// The fewest that are kept of one target, if there are as many.
const FEWEST: usize = 1_000;

/// The errors of each target on rows that were not trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Residuals {
    /// The rows that count. Of many, some of every size of prediction and error are kept.
    rows: usize,
    /// Of each target the predictions of the kept rows; empty in runs of earlier versions, which kept the errors alone.
    #[serde(default)]
    predictions: Vec<Vec<f64>>,
    /// Of each target the absolute errors, in the same order.
    errors: Vec<Vec<f64>>,
    /// The weight of each error; empty where all rows count alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    weights: Vec<Vec<f64>>,
}

impl Residuals {
    /// The errors of networks on the rows that each was not trained on.
    pub(crate) fn of(all: &[HeldOut<'_>]) -> Result<Self> {
        Ok(Self::of_errors(&held_out_errors(all)?))
    }

    fn of_errors(HeldOutErrors { targets, weights }: &HeldOutErrors) -> Self {
        let counts = |row: &usize| weights.get(*row).is_none_or(|weight| *weight > 0.0);
        let all: Vec<usize> = (0..targets.first().map_or(0, Vec::len)).filter(counts).collect();
        let most = (MOST_IN_ALL / targets.len().max(1)).clamp(FEWEST, MOST);
        let kept: Vec<Vec<usize>> = targets.iter().map(|own| evenly(own, all.clone(), most)).collect();
        let each = |of: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
            (0..).zip(&kept).map(|(target, rows)| rows.iter().map(|row| of(target, *row)).collect()).collect()
        };
        Self {
            rows: all.len(),
            predictions: each(&|target, row| targets[target][row].prediction),
            errors: each(&|target, row| targets[target][row].error),
            weights: if weights.is_empty() { Vec::new() } else { each(&|_, row| weights[row]) },
        }
    }

    /// The intervals in which about this fraction of new rows lies.
    ///
    /// # Errors
    /// A sentence without its subject, where there are too few rows for the fraction.
    pub(crate) fn intervals(&self, level: f64) -> Result<Intervals, String> {
        let rows = |target: usize| {
            let row = |(place, error): (usize, &f64)| HeldOutRow {
                // Rows without a prediction are all alike.
                prediction: self.predictions.get(target).map_or(0.0, |all| all[place]),
                error: *error,
                weight: self.weights.get(target).map_or(1.0, |all| all[place]),
            };
            self.errors[target].iter().enumerate().map(row).collect()
        };
        Intervals::new((0..self.errors.len()).map(rows), level)
            .map_err(|too_few| self.explain(level, &too_few))
    }

    /// Says how many rows an interval takes.
    fn explain(&self, level: f64, TooFewRows { weight: all, new }: &TooFewRows) -> String {
        let (needed, weight) = if self.weights.is_empty() {
            let needed = (level / (1.0 - level) * (1.0 - 1e-9)).ceil();
            (format!("{needed:.0} validation rows or more"), String::new())
        } else {
            ("more validation rows".to_owned(), format!(" of weight {all:.1} in all"))
        };
        let kept = self.errors.first().map_or(0, Vec::len);
        let rows = match self.rows {
            rows if rows > kept => format!("the {kept} that are kept of {rows}"),
            rows => rows.to_string(),
        };
        format!(
            "takes {needed}: with {rows}{weight} the widest interval that they give is {:.4}; train with a larger \
             `data.validation`, or with `--bag`, which validates on all rows",
            // Down, so that the number that is named is one that is taken.
            (all / (all + new) * 1e4).floor() / 1e4
        )
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
        let damaged = || Error::data(&path, "it is damaged; train the run again");
        let own: Self = serde_json::from_str(&text).map_err(|_| damaged())?;
        if own.is_whole() && own.is_meaningful() { Ok(own) } else { Err(damaged()) }
    }

    /// Whether errors and weights are numbers that they can be.
    fn is_meaningful(&self) -> bool {
        let are_positive = |all: &Vec<f64>| all.iter().all(|x| *x >= 0.0 && x.is_finite());
        let are_finite = |all: &Vec<f64>| all.iter().all(|x| x.is_finite());
        self.errors.iter().all(are_positive)
            && self.predictions.iter().all(are_finite)
            && self.weights.iter().all(|own| own.iter().all(|weight| *weight > 0.0 && weight.is_finite()))
    }

    /// Whether every target has all of its numbers.
    fn is_whole(&self) -> bool {
        let kept = self.errors.first().map_or(0, Vec::len);
        let fits =
            |all: &Vec<Vec<f64>>| all.len() == self.errors.len() && all.iter().all(|own| own.len() == kept);
        (1..=self.rows).contains(&kept)
            && fits(&self.errors)
            && [&self.predictions, &self.weights].into_iter().all(|all| all.is_empty() || fits(all))
    }
}

/// So many of the rows, evenly spaced by prediction and error: the order of the file may repeat itself, as the hours of a day do.
fn evenly(errors: &[PredictionError], mut rows: Vec<usize>, most: usize) -> Vec<usize> {
    if rows.len() <= most {
        return rows;
    }
    rows.sort_by(|a, b| {
        let [a, b] = [a, b].map(|row| errors[*row]);
        a.prediction.total_cmp(&b.prediction).then(a.error.total_cmp(&b.error))
    });
    (0..most).map(|place| rows[place * rows.len() / most]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::real;

    /// Errors of one target, all of one prediction.
    fn of(errors: impl IntoIterator<Item = f64>, weights: Vec<f64>) -> Residuals {
        let error = |error| PredictionError { prediction: 5.0, error };
        Residuals::of_errors(&HeldOutErrors {
            targets: vec![errors.into_iter().map(error).collect()],
            weights,
        })
    }

    fn half_width(of: &Residuals, level: f64) -> f64 {
        of.intervals(level).unwrap().half_width(0, 5.0)
    }

    #[test]
    fn the_half_width_is_the_conformal_quantile() {
        let equal = |rows: usize| of((1..=rows).rev().map(real), Vec::new());
        // The ⌈(n + 1) level⌉-th smallest error.
        for (rows, level, expected) in [(9, 0.9, 9.0), (99, 0.9, 90.0), (100, 0.5, 51.0)] {
            assert_eq!(half_width(&equal(rows), level).to_bits(), f64::to_bits(expected));
        }
        assert!(equal(9).intervals(0.95).unwrap_err().contains("0.9000"));
    }

    #[test]
    fn weights_are_as_repeating_rows() {
        let weights = |row: usize| [1, 2, 0, 3][row % 4];
        let error = |row: usize| {
            let prediction = real(row * 53 % 97);
            PredictionError { prediction, error: real(row * 37 % 101) * (1.0 + prediction) }
        };
        let rows = || 0..900usize;
        let repeated = rows().flat_map(|row| std::iter::repeat_n(error(row), weights(row))).collect();
        let repeated = Residuals::of_errors(&HeldOutErrors { targets: vec![repeated], weights: Vec::new() });
        let weighted = Residuals::of_errors(&HeldOutErrors {
            targets: vec![rows().map(error).collect()],
            weights: rows().map(|row| real(weights(row))).collect(),
        });
        assert_eq!(weighted.rows, 675);
        for level in [0.05, 0.5, 0.8, 0.9, 0.95, 0.99] {
            assert_eq!(weighted.intervals(level), repeated.intervals(level), "{level}");
        }
        assert!(weighted.intervals(0.9999).is_err() && repeated.intervals(0.9999).is_err());
        // Equal weights change nothing, however small.
        let small = of((1..=99).map(real), vec![0.001; 99]);
        assert_eq!(half_width(&small, 0.9).to_bits(), 90f64.to_bits());
    }

    #[test]
    fn of_many_rows_a_sample_is_kept() {
        let many = of((1..=100_000).map(real), vec![0.5; 100_000]);
        assert_eq!((many.errors[0].len(), many.rows), (10_000, 100_000));
        assert!((half_width(&many, 0.9) - 90_000.0).abs() < 20.0);
        let refused = many.intervals(0.99995).unwrap_err();
        assert!(refused.contains("of 100000") && refused.contains("the 10000 that are kept"), "{refused}");
        // Every 24th row is exact.
        let hourly =
            of((0..240_000).map(|row| if row % 24 == 0 { 0.0 } else { 1.0 + real(row % 7) }), Vec::new());
        let exact = hourly.errors[0].iter().filter(|error| **error < 0.5).count();
        assert!(exact.abs_diff(10_000 / 24) <= 1, "{exact}");
        let row = vec![PredictionError { prediction: 1.0, error: 2.0 }; 3_000];
        let steps = Residuals::of_errors(&HeldOutErrors { targets: vec![row; 24], weights: Vec::new() });
        assert!(steps.errors.len() == 24 && steps.errors.iter().all(|own| own.len() == 1_666));
    }

    #[test]
    fn a_file_of_an_earlier_version_has_one_width() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{{\"rows\":990,\"errors\":[{:?}]}}", (1..=990).collect::<Vec<_>>());
        std::fs::write(folder.path().join(RESIDUALS), text).unwrap();
        let intervals = Residuals::read(folder.path()).unwrap().intervals(0.9).unwrap();
        for prediction in [-1e9, 0.0, 1e9] {
            assert_eq!(intervals.half_width(0, prediction).to_bits(), 892f64.to_bits());
        }
        for damaged in [
            "{\"rows\":3,\"errors\":[[1]]",
            "{\"rows\":0,\"errors\":[[]]}",
            "{\"rows\":2,\"errors\":[[1,-2]]}",
            "{\"rows\":2,\"errors\":[[1,2]],\"weights\":[[1,0]]}",
            "{\"rows\":2,\"predictions\":[[1]],\"errors\":[[1,2]]}",
        ] {
            std::fs::write(folder.path().join(RESIDUALS), damaged).unwrap();
            assert!(Residuals::read(folder.path()).is_err(), "{damaged}");
        }
    }
}
