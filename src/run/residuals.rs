//! `residuals.json` in a run's folder: how far predictions of values were off on rows that were not trained on, from which
//! split conformal prediction makes intervals (Lei et al. 2018, <https://arxiv.org/abs/1604.04173>).

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::names::RESIDUALS;
use crate::error::{Error, Result};
use crate::files::{self, Local};
use crate::trainer::{HeldOut, absolute_errors};

/// The most errors of a target that are kept.
const MOST: usize = 10_000;

/// The absolute errors of each target on rows that were not trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Residuals {
    /// The rows.
    rows: usize,
    /// Of each target the errors, ascending; of many rows every so many-th.
    errors: Vec<Vec<f64>>,
}

impl Residuals {
    /// The errors of networks on the rows that each was not trained on.
    pub(crate) fn of(all: &[HeldOut<'_>]) -> Result<Self> {
        let errors = absolute_errors(all)?;
        let rows = errors.first().map_or(0, Vec::len);
        let thinned = |mut errors: Vec<f64>| {
            errors.sort_unstable_by(f64::total_cmp);
            let kept = rows.min(MOST);
            // The error of a kept place is that of the last row up to it, so that intervals are never too narrow.
            (1..=kept).map(|place| errors[(place * rows).div_ceil(kept) - 1]).collect()
        };
        Ok(Self { rows, errors: errors.into_iter().map(thinned).collect() })
    }

    /// Half the width of intervals in which this fraction of new rows lies, for each target.
    ///
    /// # Errors
    /// A sentence without its subject, where there are too few rows for the fraction.
    pub(crate) fn half_widths(&self, level: f64) -> Result<Vec<f64>, String> {
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of rows"
        )]
        let rank = (level * (self.rows as f64 + 1.0) - 1e-9).ceil().max(1.0) as usize;
        if rank > self.rows {
            return Err(format!(
                "takes more validation rows: with {} the widest interval that is certain is {:.4}",
                self.rows,
                crate::stats::real(self.rows) / crate::stats::real(self.rows + 1)
            ));
        }
        let of = |errors: &Vec<f64>| errors[(rank * errors.len()).div_ceil(self.rows) - 1];
        Ok(self.errors.iter().map(of).collect())
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
        let is_whole = own.rows > 0 && own.errors.iter().all(|errors| errors.len() == own.rows.min(MOST));
        if is_whole { Ok(own) } else { Err(Error::data(&path, "it is damaged; train the run again")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_half_width_is_the_conformal_quantile() {
        let of = |rows: usize| Residuals { rows, errors: vec![(1..=rows).map(crate::stats::real).collect()] };
        // The ⌈(n + 1) level⌉-th smallest error.
        assert_eq!(of(9).half_widths(0.9).unwrap(), [9.0]);
        assert_eq!(of(99).half_widths(0.9).unwrap(), [90.0]);
        assert_eq!(of(100).half_widths(0.5).unwrap(), [51.0]);
        assert!(of(9).half_widths(0.95).unwrap_err().contains("0.9000"));
    }
}
