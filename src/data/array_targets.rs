//! The transformation of numeric targets that come as arrays.

use super::preprocess::{TargetFit, TargetScale, TrainingValues};
use super::table::moments::Moments;
use super::{Preparation, Request, Rows, Task, Units};
use crate::error::{Error, Result};

/// The transformation that the options ask for, fitted to the training rows or by an earlier process; `None` if they ask for
/// none.
pub(super) fn fit(options: &Preparation, request: &Request<'_>, train: &Rows) -> Result<Option<TargetScale>> {
    if let Some(fitted) = request.fitted {
        return Ok(fitted.target_scale());
    }
    let Preparation { target_transform: transform, clamp_output: clamp, .. } = *options;
    if request.task != Task::Values || (transform.is_none() && !clamp) {
        return Ok(None);
    }
    let fit = TargetFit { transform, standardize: transform.is_some(), clamp };
    let weights = train.weights.as_deref();
    if let Some(problem) = fit.problem_with_weights().filter(|_| weights.is_some()) {
        return Err(Error::key("data.target_transform", problem));
    }
    let mut targets = Vec::new();
    for mut sorted in train.ys.t()?.to_vec2::<f64>()? {
        let mut moments = Moments::default();
        for (row, y) in sorted.iter().enumerate() {
            moments.add(*y, weights.map_or(1.0, |weights| weights[row]));
        }
        if let Some(problem) = fit.problem(moments.min) {
            return Err(Error::Config(format!("target {}: {problem}", targets.len() + 1)));
        }
        sorted.sort_unstable_by(f64::total_cmp);
        targets.push(TrainingValues { moments, sorted });
    }
    Ok(Some(fit.fit(&targets)))
}

/// The units of the targets of rows, each of which must have a value on the curve.
pub(super) fn units(scale: Option<&TargetScale>, rows: &Rows) -> Result<Option<Units>> {
    let Some(scale) = scale else { return Ok(None) };
    let numbers = rows.ys.flatten_all()?.to_vec1::<f64>()?;
    match numbers.into_iter().find(|y| !scale.takes(*y)) {
        None => Ok(Some(Units::new(scale.clone()))),
        Some(y) => {
            let problem = format!(
                "is \"log1p\", and {y} among the held-out targets is -1 or less; take \"quantile\" or \"standard\""
            );
            Err(Error::key("data.target_transform", problem))
        }
    }
}
